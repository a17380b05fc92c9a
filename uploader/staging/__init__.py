"""The private copies: a folder for each file, in which nobody else writes; after the claim only it is read.

    <root>/<file id>.in/source.tif     the raster as it was claimed, its sidecars renamed alike beside it
    <root>/<file id>.tif               what is uploaded

A claim is whole or absent: it is copied into `<file id>.tmp` and renamed. Making a file or a folder costs about a
tenth of sending a small raster, so none is made that is not needed.
"""

from uploader.staging.checksums import Checksums
from uploader.staging.copy_folders import CLAIM, Staging
from uploader.staging.copying import ClaimedCopy, content_of
from uploader.staging.free_space import FreeSpace
from uploader.system.file_content import Interrupted

__all__ = [
    "CLAIM",
    "Checksums",
    "ClaimedCopy",
    "FreeSpace",
    "Interrupted",
    "Staging",
    "content_of",
]
