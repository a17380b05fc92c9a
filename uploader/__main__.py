"""`python -m uploader` is the command `uploader`."""

from uploader.start import main

if __name__ == "__main__":
    main()
