"""The structure of TIFF files: directories, tags, and the texts that GDAL keeps in them."""
