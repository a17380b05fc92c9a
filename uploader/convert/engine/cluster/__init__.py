"""Conversion on a Dask cluster: the daemon's side (engine, link, attempt), the client in its child, and the task.

The journal stays with the daemon and is still the only truth. What crosses between machines are lines of JSON and
files in a folder that the daemon and all workers share; docs/cluster.md tells how to set it up.
"""
