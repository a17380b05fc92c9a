"""The program as a service of systemd: its unit, what it needs on a machine, and a look through its eyes."""
