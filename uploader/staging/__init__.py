"""The private copies: one folder per file, in which nobody else writes, and from which alone is read after the claim.

    <root>/<file id>/in/source.tif     the raster as it was claimed, its sidecars renamed alike beside it
    <root>/<file id>/source            a link to the raster in `in/`, as only its name tells it from its sidecars
    <root>/<file id>/out.tif           what is uploaded

A claim is whole or absent: it is copied into `in.tmp`, made durable, and renamed.
"""

from uploader.filesystem import Interrupted
from uploader.staging.answering import Answering
from uploader.staging.copying import Claim, content_of
from uploader.staging.folders import Measured, Staging

__all__ = ["Answering", "Claim", "Interrupted", "Measured", "Staging", "content_of"]
