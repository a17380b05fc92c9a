"""The running daemon: how it is put together, its loop, the ways into it, and its end."""
