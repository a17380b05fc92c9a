"""Pictures of rasters for people."""
