"""Five deliveries as providers pack them: the names of real ones, with small rasters of our own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

from tests.support.archives import tarred, zipped
from tests.support.products import raster, rpb

SIDE = 64

SAFE = "S2A_MSIL2A_20220125T101311_N0400_R022_T33UUP_20220125T124512"
GRANULE = f"{SAFE}.SAFE/GRANULE/L2A_T33UUP_A034431_20220125T101310"
BAND = "T33UUP_20220125T101311"
LANDSAT = "LC09_L2SP_193024_20240605_20240622_02_T1"
SCENE = "20230527_205437_23_2483"
MAXAR = "050057782010_01"
TILE = "18APR17101520-M2AS"

RASTERS = (".tif", ".TIF", ".jp2")


@dataclass(frozen=True)
class Delivery:
    """An archive, the folder that it is dropped into, and what becomes of the files in it.

    `names` are all that it holds; `taken` those of them that become files, with their assets where there are scenes.
    `told` is what is said of the archive.
    """

    file: str
    names: tuple[str, ...]
    taken: Mapping[str, str]
    told: str
    folder: Mapping[str, Any] = field(default_factory=dict)
    holds: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, drop: Path, masters: Path) -> None:
        """Drop it."""
        files = {name: self.holds.get(name) or _content(name, masters) for name in self.names}
        pack: Callable[[Mapping[str, bytes]], bytes] = tarred if self.file.endswith(".tar") else zipped
        (drop / self.file).write_bytes(pack(files))


def _recipe(name: str, include: str) -> dict[str, Any]:
    return {"include": [include], "scenes": [{"recipe": name}]}


DELIVERIES = {
    "sentinel-2": Delivery(
        f"{SAFE}.zip",
        (
            f"{SAFE}.SAFE/manifest.safe",
            f"{SAFE}.SAFE/MTD_MSIL2A.xml",
            f"{SAFE}.SAFE/INSPIRE.xml",
            f"{SAFE}.SAFE/DATASTRIP/DS_VGS4_20220125T124512_S20220125T101310/MTD_DS.xml",
            f"{GRANULE}/MTD_TL.xml",
            f"{GRANULE}/IMG_DATA/R10m/{BAND}_B02_10m.jp2",
            f"{GRANULE}/IMG_DATA/R20m/{BAND}_B02_20m.jp2",
            f"{GRANULE}/IMG_DATA/R20m/{BAND}_SCL_20m.jp2",
            f"{GRANULE}/QI_DATA/{BAND}_PVI.jp2",
            f"{SAFE}.SAFE/rep_info/S2_User_Product_Level-2A_Metadata.xsd",
        ),
        {
            f"{GRANULE}/IMG_DATA/R10m/{BAND}_B02_10m.jp2": "B02",
            f"{GRANULE}/IMG_DATA/R20m/{BAND}_SCL_20m.jp2": "SCL",
        },
        "2 rasters of 10 files",
        _recipe("sentinel-2-l2a", "*.zip"),
    ),
    "landsat": Delivery(
        f"{LANDSAT}.tar",
        tuple(
            f"{LANDSAT}_{what}"
            for what in (
                *("SR_B4.TIF", "QA_PIXEL.TIF", "ANG.txt", "MTL.txt", "MTL.json", "MTL.xml"),
                *("thumb_small.jpeg", "thumb_large.jpeg", "SR_stac.json"),
            )
        ),
        {f"{LANDSAT}_SR_B4.TIF": "SR_B4", f"{LANDSAT}_QA_PIXEL.TIF": "QA_PIXEL"},
        "2 rasters of 9 files",
        _recipe("landsat-c2", "*.tar"),
    ),
    "planet": Delivery(
        "psscene_analytic_8b_sr_udm2.zip",
        (
            "manifest.json",
            f"files/PSScene/{SCENE}/analytic_8b_sr_udm2/{SCENE}_3B_AnalyticMS_SR_8b_clip.tif",
            f"files/PSScene/{SCENE}/analytic_8b_sr_udm2/{SCENE}_3B_udm2_clip.tif",
            f"files/PSScene/{SCENE}/analytic_8b_sr_udm2/{SCENE}_3B_AnalyticMS_metadata_clip.xml",
            f"files/PSScene/{SCENE}/{SCENE}_metadata.json",
        ),
        {
            f"files/PSScene/{SCENE}/analytic_8b_sr_udm2/{SCENE}_3B_AnalyticMS_SR_8b_clip.tif": "AnalyticMS_SR_8b",
            f"files/PSScene/{SCENE}/analytic_8b_sr_udm2/{SCENE}_3B_udm2_clip.tif": "udm2",
        },
        "2 rasters of 5 files",
        _recipe("planet-scene", "*.zip"),
    ),
    "maxar": Delivery(
        f"{MAXAR}.zip",
        (
            f"{MAXAR}/{MAXAR}_README.TXT",
            f"{MAXAR}/GIS_FILES/{MAXAR}_PRODUCT_SHAPE.shp",
            *(
                f"{MAXAR}/{MAXAR}_P001_MUL/{TILE}{tile}-{MAXAR}_P001.{ending}"
                for tile, ending in (
                    *(("_R1C1", "TIF"), ("_R1C2", "TIF"), ("", "TIL"), ("", "IMD"), ("", "RPB")),
                    *(("", "XML"), ("-BROWSE", "JPG")),
                )
            ),
        ),
        {f"{MAXAR}/{MAXAR}_P001_MUL/{TILE}_R1C{n}-{MAXAR}_P001.TIF": "" for n in (1, 2)},
        "2 rasters of 9 files",
        {"include": ["*.tif", "*.zip"]},
        {f"{MAXAR}/{MAXAR}_P001_MUL/{TILE}-{MAXAR}_P001.RPB": rpb().encode()},
    ),
    "nested": Delivery(
        "order.zip",
        ("readme.txt", "tile_1.zip", "tile_2.zip"),
        {},
        "The archive holds 3 files, and none that is to be taken: no name fits *.tif. 2 archives in it are not opened.",
        {"include": ["*.tif", "*.zip"]},
        {f"tile_{n}.zip": zipped({"a.tif": b"II*\0"}) for n in (1, 2)},
    ),
}
"""By provider. The tiles of a .TIL are an item each, and an archive in an archive is told and not opened."""


def folders(root: Path) -> Iterator[dict[str, Any]]:
    """A drop folder for each."""
    for name, delivery in DELIVERIES.items():
        yield {"path": str(root / name), "project_id": "p-1", **delivery.folder}


def _content(name: str, masters: Path) -> bytes:
    if not name.endswith(RASTERS):
        return b"what a provider writes about it\n"
    if name.endswith(".jp2"):
        return _jp2(masters / Path(name).name)
    return raster(masters / Path(name).name, seed=len(os.fsencode(name)), placed=True).read_bytes()


def _jp2(path: Path) -> bytes:
    """A raster in JPEG 2000, as a product has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(1, 200, (1, SIDE, SIDE)).astype("uint16")
    place = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_100_000, 10, 10)}
    shape = {"driver": "JP2OpenJPEG", "width": SIDE, "height": SIDE, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", quality=100, reversible=True, **shape, **place) as dataset:
        dataset.write(pixels)
    return path.read_bytes()
