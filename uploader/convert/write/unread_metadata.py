"""What stands in or beside a raster and could not be read, so that it is not in the result: named, never silent."""

from __future__ import annotations

from collections.abc import Iterator

from uploader.convert.job import RasterWarning
from uploader.convert.read.facts import Facts
from uploader.convert.write.method_choice import codes


def unread(source: Facts) -> Iterator[RasterWarning]:
    """One warning for each kind."""
    if source.prj_unreadable:
        yield RasterWarning(
            "prj_unreadable", "The .prj beside it holds no reference system that can be read."
        )
    told = (*source.unread.foreign, *source.unread.metadata)  # by what the product's sidecars are called
    for suffix in (each for each in source.sidecars_unread if not any(name.endswith(each) for name in told)):
        yield RasterWarning("sidecar_unreadable", f"Nothing could be read in the {suffix} beside it.")
    for name in source.sidecars:
        if name.lower().endswith("wx"):
            kind = name[name.rindex(".") :]
            yield RasterWarning(
                "sidecar_unreadable", f"The {kind} beside it is an approximate world file, which is not read."
            )
    if any(name.lower().endswith(".aux") for name in source.sidecars):
        yield RasterWarning(
            "aux_unread",
            "The ERDAS .aux beside it is not read: a nodata value, names or a reference system that only it holds are "
            "not in the result.",
        )
    if source.texts_lost:
        yield RasterWarning(
            "text_lost", "Names or units of its bands are not UTF-8 and are not in the result."
        )
    if source.rpcs_unread:
        names = codes(name for name, _ in source.rpcs_unread)
        yield RasterWarning(
            "rpc_unread", f"Its rational polynomials have no numbers, or no place in GeoTIFF, for {names}."
        )
