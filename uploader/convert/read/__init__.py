"""What a raster is: its facts, and what its pixels say when they are read piece by piece."""
