"""Reading the facts of an open raster, and of one that is being examined for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rasterio.enums import ColorInterp

from uploader.convert.read import product_metadata, reference_systems, rpc, sidecar_check
from uploader.convert.read.facts import GCP, BandFacts, Facts
from uploader.convert.read.formats import netcdf, prj, raster_text
from uploader.convert.read.formats.format_table import CONTAINERS
from uploader.convert.read.formats.open_raster import Dataset, driver_for, opened, sidecars, translated
from uploader.core.errors import RasterRefused, RasterUnreadable

IGNORED_DOMAINS = frozenset(
    {"", "IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "SUBDATASETS", "RPC", "xml:gml.root-instance"}
)
"""Domains that GDAL makes up from the file's structure, or that are facts of their own: the last places a JPEG 2000."""

ENVI_STRUCTURE = frozenset(
    {
        *("samples", "lines", "bands", "header_offset", "file_type", "data_type", "interleave", "byte_order"),
        *("file_compression", "map_info", "coordinate_system_string", "projection_info", "data_ignore_value"),
        *("band_names", "default_bands", "classes", "class_lookup", "class_names"),
    }
)
"""What an ENVI header says that is a fact of its own: shape, place, names and colours."""

_PALETTE = ColorInterp.palette

_FOREIGN_GRID = re.compile(r"(?:grids|parameterfile)[^\]<]{0,4000}?[/\\~]", re.IGNORECASE)
"""A reference system that names a shift grid with a path or an address, in WKT or as PROJ writes it."""
_LISTED = 12
_GUESSED = (".asc", ".grd")
_FILE_NAME = re.compile(r"\{\S*\}")
"""What programs write as the description of an ENVI file when nobody gave one."""


def examine(source: Path, known: tuple[str, ...] | None = None) -> Facts:
    """All that a raster says of itself, without reading a pixel. `known` names its sidecars; None: all that is beside.

    It is opened twice: the view with OVERVIEW_LEVEL=NONE forgets band descriptions, domains and more, but mask
    flags must be asked of no other. Raises RasterUnreadable and RasterRefused.
    """
    beside = sidecars(source, known)
    _refuse_foreign_grids(source.parent, beside)
    driver = driver_for(source, beside)
    if driver in CONTAINERS:
        with opened(source, driver, facts_only=True) as dataset, translated("examined"):
            _require_one(dataset)
    # An `.aux` of Erdas Imagine beside it tells of nodata only whoever asks where the raster lies.
    with opened(source, driver, placeless=not beside, threads=1) as dataset, translated("examined"):
        masks = [sum(int(flag) for flag in flags) for flags in dataset.mask_flag_enums]
    with opened(source, driver, facts_only=True) as dataset, translated("examined"):
        if beside:
            product_metadata.load(dataset)
        facts = product_metadata.apart(
            replace(describe(dataset, source, masks, beside), driver=driver), source
        )
        _require_whole(facts, source, dict(dataset.tags(ns="ENVI")) if driver == "ENVI" else {})
    return facts


def _require_one(dataset: Dataset) -> None:
    """Raises RasterRefused for a file that holds several rasters, with the list of them, or none."""
    if dataset.count:
        return
    listed = dataset.tags(ns="SUBDATASETS")
    inside = [listed[key] for key in listed if re.fullmatch(r"SUBDATASET_\d+_DESC", key)]
    if not inside:
        raise RasterRefused("It holds no raster.", as_it_is=True)
    shown = "; ".join(" ".join(text.split()) for text in inside[:_LISTED])
    more = f"; and {len(inside) - _LISTED} more" if len(inside) > _LISTED else ""
    raise RasterRefused(
        f"It holds {len(inside)} rasters, and only files with one are converted: {shown}{more}.",
        "Write the one you want into a file of its own, for example with gdal_translate.",
        as_it_is=True,
    )


def _require_whole(facts: Facts, path: Path, header: dict[str, str]) -> None:
    """Raises RasterUnreadable where GDAL would fill up with zeros what the file lacks: its end.

    `header` is that of an ENVI file.
    """
    needed = 0
    if facts.driver == "netCDF":
        needed = netcdf.needed(path)
    elif header and header.get("file_compression", "0").strip() in ("", "0"):
        offset = header.get("header_offset", "0").strip()
        needed = facts.raw_bytes + (int(offset) if offset.isdecimal() else 0)
    if facts.file_bytes < needed:
        raise RasterUnreadable(
            f"The file ends too early: it has {facts.file_bytes:,} bytes, its header needs {needed:,}.",
            "Copy it again.",
        )


def _refuse_foreign_grids(folder: Path, beside: tuple[str, ...]) -> None:
    """Raises RasterRefused before PROJ sees the text: it opens what is named as a grid as soon as it reads it."""
    for name in beside:
        if name.lower().endswith((".prj", ".aux.xml")) and _FOREIGN_GRID.search(prj.text_of(folder / name)):
            raise RasterRefused(
                f"Its sidecar {name} names a file elsewhere as a shift grid.",
                "Name the grid without a path, or remove the sidecar.",
            )


def describe(dataset: Dataset, path: Path, masks: list[int], beside: tuple[str, ...]) -> Facts:
    """The facts of an open dataset; `masks` are the flags per band, asked for before, and of another view."""
    gcps, gcp_crs = dataset.gcps
    notes = [prj.text_of(path.parent / name) for name in beside if name.lower().endswith(".aux.xml")]
    own_crs = _header_heights(dataset) or _own_system(dataset.crs)
    structure = dataset.tags(ns="IMAGE_STRUCTURE")
    own = "PIXEL" if dataset.driver == "GTiff" else "BAND"
    transform = tuple(dataset.get_transform())
    called = raster_text.of_bands(dataset, beside)
    bands = tuple(_bands(dataset, masks, called))
    tags, polynomials = raster_text.tags(dataset), raster_text.tags(dataset, domain="RPC")
    # These come last: looking for further pages, and reading an odd system, may leave an error behind that the next
    # call to the dataset would raise.
    domains = raster_text.domains(dataset)
    crs, prj_unreadable = (own_crs, False) if gcps else _placed(own_crs, path, beside, notes)
    facts = Facts(
        driver=dataset.driver,
        width=dataset.width,
        height=dataset.height,
        file_bytes=path.stat().st_size,
        bands=bands,
        pixel_interleaved=structure.get("INTERLEAVE", own).upper() == "PIXEL",
        white_is_zero=structure.get("MINISWHITE") == "YES",
        compression=structure.get("COMPRESSION", ""),
        crs=crs,
        prj_unreadable=prj_unreadable,
        texts_lost=called.lost,
        transform=None if transform == (0.0, 1.0, 0.0, 0.0, 0.0, 1.0) else transform,
        gcps=tuple(_gcp(point) for point in gcps),
        gcp_crs=_own_system(gcp_crs) if gcps else "",
        rpcs=rpc.plain(polynomials),
        rpcs_unread=_sorted(polynomials if not rpc.plain(polynomials) else dict(rpc.others(polynomials))),
        tags=_sorted(tags),
        domains=_telling(domains),
        pages=_pages(domains, dataset.driver),
        sidecars=beside,
        categories=any("<CategoryNames>" in text for text in notes),
        attribute_table=any("<GDALRasterAttributeTable" in text for text in notes),
    )
    return replace(facts, sidecars_unread=sidecar_check.unread(facts, path))


def _telling(domains: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The metadata domains that tell something beside the structure of the file and its name."""
    told = {name: tags for name, tags in domains.items() if name not in IGNORED_DOMAINS}
    header = told.get("ENVI", {})
    said = header.keys() - ENVI_STRUCTURE
    if said <= {"description"} and (not said or _FILE_NAME.fullmatch(header["description"])):
        told.pop("ENVI", None)
    return told


def _own_system(crs: Any) -> str:
    """The system that GDAL tells, as WKT; empty where it is none, or a placeholder for none."""
    wkt = str(crs.to_wkt()) if crs else ""
    return "" if reference_systems.is_placeholder(wkt) else wkt


def _header_heights(dataset: Dataset) -> str:
    """The compound system in an ENVI header, to whose heights GDAL gives the unit of the map; else empty."""
    told = raster_text.tags(dataset, domain="ENVI").get("coordinate_system_string", "").strip("{} ")
    wkt = prj.wkt_of(told)
    return wkt if reference_systems.height_unit(wkt) else ""


def _placed(own: str, path: Path, beside: tuple[str, ...], notes: list[str]) -> tuple[str, bool]:
    """The raster's own system, or else that of a `.prj`; and whether there is one that cannot be read.

    GDAL does not look for a `.prj` beside a TIFF. Beside an ASCII grid it does, but guesses what ARC/INFO's keywords
    leave open.
    """
    name = next((name for name in beside if name.lower().endswith(".prj")), None)
    text = prj.text_of(path.with_name(name)) if name else ""
    guessed = (
        prj.is_keywords(text)
        and path.suffix.lower() in _GUESSED
        and not any("<SRS" in note for note in notes)
    )
    if name is None or (own and not guessed):
        return own, False
    told = prj.wkt_of(text)
    return "" if reference_systems.is_placeholder(told) else told, not told


def _bands(dataset: Dataset, masks: list[int], called: raster_text.BandTexts) -> Iterable[BandFacts]:
    """One at a time, each property of all bands fetched once: some are lists that rasterio builds anew."""
    columns = zip(
        dataset.indexes,
        dataset.dtypes,
        dataset.block_shapes,
        dataset.colorinterp,
        masks,
        dataset.nodatavals,
        called.names,
        called.units,
        dataset.scales,
        dataset.offsets,
        strict=True,
    )
    for index, dtype, block, interpretation, mask, nodata, name, unit, scale, offset in columns:
        structure = dataset.tags(index, ns="IMAGE_STRUCTURE")
        indexed = "int" in dtype  # of half floats where white is zero GDAL makes up a palette
        yield BandFacts(
            index=index,
            dtype=dtype,
            block=tuple(block),
            interpretation=interpretation.name if indexed or interpretation != _PALETTE else "undefined",
            mask=mask,
            nodata=nodata,
            description=name,
            unit=unit,
            scale=scale,
            offset=offset,
            colours=_colours(dataset, index) if indexed else (),
            tags=_sorted(raster_text.tags(dataset, index)),
            domains={
                name: tags
                for name, tags in raster_text.domains(dataset, index).items()
                if name not in IGNORED_DOMAINS
            },
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


def _pages(domains: dict[str, dict[str, str]], driver: str) -> int:
    """How many rasters the file holds. A TIFF lists its first page among them, others list only what is more."""
    names = [key for key in domains.get("SUBDATASETS", {}) if re.fullmatch(r"SUBDATASET_\d+_NAME", key)]
    return max(1, len(names)) if driver == "GTiff" else 1 + len(names)
