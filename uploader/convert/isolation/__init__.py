"""What a converting process gives up before it sees a raster, and what a host lets it give up."""
