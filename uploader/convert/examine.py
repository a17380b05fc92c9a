"""Reading the facts of an open raster, and of one that is being examined for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import RasterioError

from uploader.convert.facts import GCP, BandFacts, Facts
from uploader.convert.opening import Dataset, driver_of, head, opened, sidecars, translated

IGNORED_DOMAINS = frozenset({"", "IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "SUBDATASETS", "RPC"})
"""Domains that GDAL makes up from the file's structure, or that are facts of their own."""

_SIDECAR_TEXT = 1 << 20


def examine(source: Path) -> Facts:
    """All that a raster says of itself, without reading a pixel.

    It is opened twice: the view with OVERVIEW_LEVEL=NONE forgets band descriptions, domains and more, but mask
    flags must be asked of no other. Raises RasterUnreadable and RasterRefused.
    """
    driver = driver_of(head(source))
    beside = sidecars(source)
    with opened(source, driver) as dataset, translated("examined"):
        masks = [sum(int(flag) for flag in flags) for flags in dataset.mask_flag_enums]
    with opened(source, driver, facts_only=True) as dataset, translated("examined"):
        return describe(dataset, source, masks, beside)


def describe(dataset: Dataset, path: Path, masks: list[int], beside: tuple[str, ...]) -> Facts:
    """The facts of an open dataset; `masks` are the flags per band, asked for before, and of another view."""
    gcps, gcp_crs = dataset.gcps
    crs = dataset.crs.to_wkt() if dataset.crs else ""
    unplaced = not crs and not gcps
    projection = _projection(path.parent, beside) if unplaced else None
    structure = dataset.tags(ns="IMAGE_STRUCTURE")
    transform = tuple(dataset.get_transform())
    texts = [_text(path.parent / name) for name in beside if name.lower().endswith(".aux.xml")]
    bands = tuple(_bands(dataset, masks))
    tags, rpcs = _sorted(dataset.tags()), _sorted(dataset.tags(ns="RPC"))
    # Domains come last: looking for further pages may leave an error behind that the next call would raise.
    domains = {name: dict(dataset.tags(ns=name)) for name in dataset.tag_namespaces()}
    return Facts(
        driver=dataset.driver,
        width=dataset.width,
        height=dataset.height,
        file_bytes=path.stat().st_size,
        bands=bands,
        pixel_interleaved=structure.get("INTERLEAVE", "PIXEL").upper() == "PIXEL",
        compression=structure.get("COMPRESSION", ""),
        crs=crs or projection or "",
        prj_unreadable=projection == "",
        transform=None if transform == (0.0, 1.0, 0.0, 0.0, 0.0, 1.0) else transform,
        gcps=tuple(_gcp(point) for point in gcps),
        gcp_crs=gcp_crs.to_wkt() if gcps and gcp_crs else "",
        rpcs=rpcs,
        tags=tags,
        domains={name: tags for name, tags in domains.items() if name not in IGNORED_DOMAINS},
        pages=_pages(domains),
        sidecars=beside,
        categories=any("<CategoryNames>" in text for text in texts),
        attribute_table=any("<GDALRasterAttributeTable" in text for text in texts),
    )


def _bands(dataset: Dataset, masks: list[int]) -> Iterable[BandFacts]:
    """One at a time, each property of all bands fetched once: some are lists that rasterio builds anew."""
    columns = zip(
        dataset.indexes,
        dataset.dtypes,
        dataset.block_shapes,
        dataset.colorinterp,
        masks,
        dataset.nodatavals,
        dataset.descriptions,
        dataset.units,
        dataset.scales,
        dataset.offsets,
        strict=True,
    )
    for index, dtype, block, interpretation, mask, nodata, name, unit, scale, offset in columns:
        structure = dataset.tags(index, ns="IMAGE_STRUCTURE")
        yield BandFacts(
            index=index,
            dtype=dtype,
            block=tuple(block),
            interpretation=interpretation.name,
            mask=mask,
            nodata=nodata,
            description=name or "",
            unit=unit or "",
            scale=scale,
            offset=offset,
            colours=_colours(dataset, index),
            tags=_sorted(dataset.tags(index)),
            domains=tuple(d for d in dataset.tag_namespaces(index) if d not in IGNORED_DOMAINS),
            bits=int(structure.get("NBITS", 0)),
        )


def _colours(dataset: Dataset, index: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    try:
        return tuple(sorted(dataset.colormap(index).items()))
    except ValueError:  # rasterio's way of saying that there is none
        return ()


def _gcp(point: Any) -> GCP:
    return (point.row, point.col, point.x, point.y, point.z or 0.0)


def _sorted(tags: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(tags.items()))


def _pages(domains: dict[str, dict[str, str]]) -> int:
    names = [key for key in domains.get("SUBDATASETS", {}) if re.fullmatch(r"SUBDATASET_\d+_NAME", key)]
    return max(1, len(names))


def _projection(folder: Path, beside: tuple[str, ...]) -> str | None:
    """The system in a `.prj`, which GDAL does not look for beside a TIFF; None: there is none; empty: it is no WKT."""
    name = next((name for name in beside if name.lower().endswith(".prj")), None)
    if name is None:
        return None
    try:
        return str(CRS.from_wkt(_text(folder / name), morph_from_esri_dialect=True).to_wkt())
    except (RasterioError, ValueError):
        return ""


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SIDECAR_TEXT).decode("utf-8", "replace")
