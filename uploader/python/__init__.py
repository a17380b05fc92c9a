"""What a Python program calls (`uploader` itself has its names); the commands `push` and `convert` call the same."""
