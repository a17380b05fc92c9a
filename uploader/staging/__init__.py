"""The private copies: one folder per file, in which nobody else writes, and from which alone is read after the claim.

    <root>/<file id>/in/source.tif     the raster as it was claimed, its sidecars renamed alike beside it
    <root>/<file id>/source            a link to the raster in `in/`, as only its name tells it from its sidecars
    <root>/<file id>/out.tif           what is uploaded

A claim is whole or absent: it is copied into `in.tmp`, made durable, and renamed.
"""

from uploader.staging.copy_folders import Checksums, Staging
from uploader.staging.copying import ClaimedCopy, content_of
from uploader.staging.free_space import Answering
from uploader.system.files import Interrupted

__all__ = ["Answering", "Checksums", "ClaimedCopy", "Interrupted", "Staging", "content_of"]
