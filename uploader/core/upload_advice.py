"""How a raster that cannot be converted is uploaded all the same: the only place that puts this into words.

Whoever refuses a raster says whether it could go as it is (`LocalError.as_it_is`); how depends on who asks.
"""

from __future__ import annotations

from enum import StrEnum

from uploader.core.errors import LocalError, UploaderError


class Asker(StrEnum):
    """Who is told of a raster that is not converted."""

    FOLDER = "folder"
    """Who configured its drop folder, as those did to whom the daemon and `uploader plan` speak."""
    COMMAND = "command"
    """Who named the raster to `uploader convert` or `uploader push`, and has no folder for it to configure."""


ADVICE = {
    Asker.FOLDER: "Listed in `passthrough` of its folder, it is uploaded as it is.",
    Asker.COMMAND: "`uploader run` uploads it as it is where a drop folder lists it in `passthrough`.",
}


def advised(error: UploaderError, asker: Asker) -> UploaderError:
    """The error, whose way out also says how the raster is uploaded as it is, where it could be."""
    if not isinstance(error, LocalError) or not error.as_it_is:
        return error
    return type(error)(error.reason, f"{error.way_out} {ADVICE[asker]}".strip())
