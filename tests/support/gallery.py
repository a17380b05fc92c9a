"""Six kinds of rasters as they are uploaded, and how each must look on a map: reckoned by numpy and PROJ alone."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.io import MemoryFile
from rasterio.transform import Affine, from_origin
from rasterio.warp import transform
from rio_tiler.colormap import cmap

from tests.support.wire import Wire
from uploader.sandbox import Key, Options, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POWERLESS = "gpra_nothing"
ROWS, COLUMNS = 300, 400
WIDE = {"driver": "GTiff", "height": ROWS, "width": COLUMNS}
SLOPE = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) / (ROWS + COLUMNS - 2)
"""From 0 in one corner to 1 in the opposite one."""
WAVES = (np.sin(np.add.outer(np.arange(ROWS) / 40, np.arange(COLUMNS) / 60)) + 1) / 2


@dataclass(frozen=True)
class Kind:
    """A raster and how it must look: `paint` gives RGB (0 to 255) for values of shape (bands, pixels)."""

    profile: dict[str, Any]
    values: np.ndarray
    type: str
    paint: Callable[[np.ndarray], np.ndarray]
    names: tuple[str, ...] = ()
    palette: dict[int, tuple[int, int, int]] | None = None
    categorical: bool = False


def utm(x: float, size: float = 10) -> dict[str, Any]:
    """A place in Bavaria, `x` metres east of the zone's meridian."""
    return {"crs": "EPSG:32632", "transform": from_origin(500_000 + x, 5_400_000, size, size)}


def viridis(low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    """One band on the scale of colours, in whole levels as renderers do."""
    colours = np.array([cmap.get("viridis")[level][:3] for level in range(256)], dtype=float)

    def paint(values: np.ndarray) -> np.ndarray:
        levels = (np.clip((values[0].astype(float) - low) / (high - low), 0, 1) * 255).astype(int)
        return colours[levels].T

    return paint


def stretched(values: np.ndarray, order: list[int]) -> np.ndarray:
    """Three bands, each from its 2nd to its 98th percentile; the renderer sees the source whole."""
    bands = []
    for number in order:
        low, high = np.percentile(MULTI[number], (2, 98))
        bands.append(np.clip((values[number].astype(float) - low) / (high - low), 0, 1) * 255)
    return np.stack(bands)


RGB = (np.stack([SLOPE, WAVES, 1 - SLOPE]) * 250).astype("uint8")
MULTI = (np.stack([SLOPE, WAVES, 1 - WAVES, 1 - SLOPE]) * 3000 + 200).astype("uint16")
HEIGHTS = (SLOPE * 900 - 100).astype("float32")
CLASSES = (np.indices((ROWS, COLUMNS)).sum(axis=0) // 100 % 4).astype("uint8")
COLOURS = {0: (10, 20, 30), 1: (200, 0, 0), 2: (0, 200, 0), 3: (0, 0, 250)}
DEGREES = (WAVES * 5000 - 2500).astype("int16")

KINDS = {
    "rgb": Kind(
        {**WIDE, **utm(0), "dtype": "uint8", "photometric": "RGB"}, RGB, "rgb", lambda values: values
    ),
    "multispectral": Kind(
        {**WIDE, **utm(10_000), "dtype": "uint16", "tiled": True, "compress": "deflate"},
        MULTI,
        "rgb",
        lambda values: stretched(values, [2, 1, 0]),
        ("blue", "green", "red", "nir"),
    ),
    "heights": Kind(
        {**WIDE, **utm(20_000), "dtype": "float32", "nodata": -9999.0},
        HEIGHTS[None],
        "singleband",
        viridis(*np.percentile(HEIGHTS, (2, 98))),
    ),
    "palette": Kind(
        {**WIDE, **utm(30_000), "dtype": "uint8"},
        CLASSES[None],
        "singleband",
        lambda values: np.array([COLOURS[number] for number in values[0]]).T,
        palette=COLOURS,
        categorical=True,
    ),
    "degrees": Kind(
        {**WIDE, "crs": "EPSG:4326", "transform": from_origin(12, 48, 0.0002, 0.0002), "dtype": "int16"},
        DEGREES[None],
        "singleband",
        viridis(*np.percentile(DEGREES, (2, 98))),
    ),
    "turned": Kind(
        {
            **WIDE,
            "crs": "EPSG:3857",
            "transform": Affine.translation(1_500_000, 6_000_000)
            @ Affine.rotation(20)
            @ Affine.scale(12, -12),
            "dtype": "uint8",
            "photometric": "RGB",
        },
        RGB,
        "rgb",
        lambda values: values,
    ),
}


def written(kind: Kind) -> bytes:
    """The raster as a file."""
    with MemoryFile() as memory:
        with memory.open(**kind.profile, count=len(kind.values)) as target:
            target.write(kind.values)
            if kind.names:
                target.descriptions = kind.names
            if kind.palette:
                target.write_colormap(1, kind.palette)
            target.update_tags(TIFFTAG_DATETIME=f"2024:0{list(KINDS).index(name_of(kind)) + 1}:15 00:00:00")
        return bytes(memory.read())


def name_of(kind: Kind) -> str:
    """Its key in the table."""
    return next(name for name, one in KINDS.items() if one is kind)


def decoded(picture: bytes) -> np.ndarray:
    """The bands of an image file."""
    with MemoryFile(picture) as memory, memory.open() as image:
        return image.read()


@dataclass(frozen=True)
class Gallery:
    """A sandbox in which all kinds were uploaded and the pipeline is done."""

    wire: Wire
    items: dict[str, dict[str, Any]]
    uploads: dict[str, str]
    collection: str

    def asset(self, name: str) -> dict[str, Any]:
        """The only asset of an item."""
        item_id = self.items[name]["id"]
        return dict(self.wire.ok("items.list_assets", item_id=item_id)["assets"][0])

    def tile_at(self, name: str, zoom: int = 14) -> dict[str, int]:
        """The tile in the middle of an item."""
        west, south, east, north = self.items[name]["bbox"]
        (x,), (y,) = transform("EPSG:4326", "EPSG:3857", [(west + east) / 2], [(south + north) / 2])
        width = 2 * 20037508.342789244 / 2**zoom
        return {
            "z": zoom,
            "x": int((x + 20037508.342789244) // width),
            "y": int((20037508.342789244 - y) // width),
        }


@contextmanager
def open_gallery(root: Path) -> Iterator[Gallery]:
    """All six kinds, each uploaded in the five steps; orders are delivered at once, and one key may do nothing."""
    options = Options(root=root, rate_limit=0, delivery_after=0.0, keys=(Key(POWERLESS, scopes=()),))
    with Sandbox(options) as box, Wire(box) as wire:
        collection = wire.ok("collections.create", project_id="p-1", name="kinds")["id"]
        items, uploads = {}, {}
        for name, kind in KINDS.items():
            more = {"is_categorical": kind.categorical, "target_collection_id": collection}
            uploads[name], (item_id,) = wire.upload({f"{name}.tif": written(kind)}, **more)
            items[name] = wire.settled(item_id)
        yield Gallery(wire, items, uploads, collection)


def sampled(kind: Kind, tile: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """The source's values under the pixels of a tile, by nothing but numpy and PROJ; and which pixels lie inside."""
    width = 2 * 20037508.342789244 / 2 ** tile["z"]
    steps = (np.arange(256) + 0.5) * width / 256
    xs = np.tile(tile["x"] * width - 20037508.342789244 + steps, (256, 1)).ravel()
    ys = np.repeat(20037508.342789244 - tile["y"] * width - steps, 256)
    east, north = (np.array(some) for some in transform("EPSG:3857", kind.profile["crs"], xs, ys))
    column, row = ~kind.profile["transform"] * (east, north)
    inside = (row > 2) & (row < ROWS - 3) & (column > 2) & (column < COLUMNS - 3)
    rows, columns = (
        np.clip(some.astype(int), 0, most - 1) for some, most in ((row, ROWS), (column, COLUMNS))
    )
    return kind.values[:, rows, columns], inside
