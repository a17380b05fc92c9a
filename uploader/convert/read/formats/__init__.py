"""Which formats are taken, and how a file of each is opened and nothing beside it."""
