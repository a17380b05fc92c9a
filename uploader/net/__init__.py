"""The one door of HTTP: requests, connections, and what the failure of a connection proves."""
