"""The child that renders, measures and cuts rasters: a folder that Python runs, never imported by the server.

Its modules find each other by plain names, because the child runs isolated (`-I`) and sees no package. rio-tiler
and rasterio are imported here only, and late: the server starts without them.
"""
