"""The processes that convert: a pool of zygotes, and the children forked from them, one for each raster."""
