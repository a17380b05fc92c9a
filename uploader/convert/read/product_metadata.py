"""What the sidecars of a satellite product brought to GDAL's view of a raster, and what not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from uploader.convert.job import RasterWarning
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.core import product_files
from uploader.core.errors import RasterUnreadable

_IMD = "IMD"
"""The domain in which GDAL's readers put a provider's metadata."""

_PLACE = ("Geoposition.", "Dataset_Frame.")
"""How the keys begin by which it tells where the raster lies."""

_READER = "METADATATYPE"
"""The item by which GDAL tells which of its readers found something: no word of the raster's."""

_TEXT = 1 << 20
_LISTED = 5
_OFFSETS = ("LINE_OFF", "SAMP_OFF")
_MOVED = 1.5
"""Pixels: more than the change from counting from one to counting from zero, less than the smallest tile."""


def load(dataset: Dataset) -> None:
    """Let GDAL read the sidecars now: what it says of a damaged one is raised by the next call, whatever that is."""
    dataset.tags(ns=_IMD)
    with suppress(RasterUnreadable), translated("examined"):
        _ = dataset.colorinterp


def apart(facts: Facts, source: Path) -> Facts:
    """The facts without coefficients that are those of another tile, and with what was left unread.

    GDAL moves the coefficients of a whole product to the tile that it reads where the product's index lists the tile,
    and leaves them as they are where not: then they would place the tile where the first one is.
    """
    tags = dict(facts.tags)
    reader = tags.pop(_READER, "")
    found = product_files.unread(
        source.stem,
        facts.sidecars,
        reader,
        metadata=bool(facts.domains.get(_IMD)),
        rpc=bool(facts.rpcs),
    )
    tile = product_files.shiftable(source.stem, facts.sidecars)
    if facts.rpcs and tile and not _moved(facts, source.with_name(tile.name), tile):
        found = replace(found, foreign=(*found.foreign, tile.name))
        facts = replace(facts, rpcs=())
    return replace(facts, unread=found, tags=tuple(tags.items()))


def warnings(facts: Facts) -> Iterator[RasterWarning]:
    """What sidecars of its product say that is not in the result."""
    if facts.unread.metadata:
        text = f"What {_listed(facts.unread.metadata)} beside it says is not in the result, as GDAL does not read it."
        yield RasterWarning("product_metadata_lost", text)
    if facts.unread.foreign:
        text = (
            f"The rational polynomials of {_listed(facts.unread.foreign)} are those of the whole product, not of this "
            "tile, so they are not in the result."
        )
        yield RasterWarning("rpc_not_applied", text)
    unplaced = not (facts.transform or facts.gcps or facts.rpcs)
    if unplaced and any(key.startswith(_PLACE) for key in facts.domains.get(_IMD, {})):
        text = "Where it lies stands in the metadata of its product alone, which is kept as words only."
        yield RasterWarning("product_place_unread", text)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")


def _moved(facts: Facts, path: Path, tile: product_files.TileCoefficients) -> bool:
    """Whether the offsets that GDAL reports are smaller than those in the file, as they are beyond the first tile."""
    with path.open("rb") as file:
        text = file.read(_TEXT).decode("latin-1")
    reported = dict(facts.rpcs)
    return all(
        _number(reported.get(key, "")) < _written(text, key) - _MOVED
        for key, index in zip(_OFFSETS, (tile.row, tile.column), strict=True)
        if index > 1
    )


def _written(text: str, key: str) -> float:
    found = re.search(rf"<{key}>([^<]{{1,100}})</{key}>", text)
    return _number(found.group(1)) if found else float("-inf")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
