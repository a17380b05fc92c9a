"""What would become of files, before anything is sent: told file by file, with the rules that a daemon has."""
