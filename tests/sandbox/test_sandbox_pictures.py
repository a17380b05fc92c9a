"""Uploads on the map: six kinds of rasters are found, described, painted and cut, and the pictures are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pystac
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import Affine, from_origin
from rasterio.warp import transform
from rio_tiler.colormap import cmap

from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.operations.styling import ranges
from uploader.sandbox.painting import Painters, Unpaintable
from uploader.sandbox.profiles import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.unit

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


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """All six kinds, each uploaded in the five steps."""
    options = Options(root=tmp_path_factory.mktemp("gallery"), rate_limit=0)
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


@pytest.mark.parametrize("name", KINDS)
def test_a_tile_looks_like_its_source(gallery: Gallery, name: str) -> None:
    """What the default profile paints is what the source's values say, pixel by pixel."""
    tile = gallery.tile_at(name)
    response = gallery.wire.post("items.tile.render", item_id=gallery.items[name]["id"], **tile, format="png")
    values, inside = sampled(KINDS[name], tile)
    picture = decoded(response.content).reshape(4, -1)
    away = np.abs(picture[:3].astype(float) - KINDS[name].paint(values)).max(axis=0)[inside]

    assert response.headers["content-type"] == "image/png"
    assert inside.sum() > 5000
    assert (picture[3][inside] == 255).all()
    assert np.percentile(away, 98) <= (0 if KINDS[name].palette else 6)


@pytest.mark.parametrize("name", KINDS)
def test_an_upload_is_found_and_leads_back(gallery: Gallery, name: str) -> None:
    """By box, time and collection together there is exactly this item, whose lineage is its session."""
    item = gallery.items[name]
    west, south, east, north = item["bbox"]
    x, y = (west + east) / 2, (south + north) / 2
    month = item["datetime"][:7]
    found = gallery.wire.ok(
        "items.search",
        project_id="p-1",
        bbox=[x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4],
        datetime=f"{month}-01T00:00:00Z/{month}-28T00:00:00Z",
        collections=[gallery.collection],
    )["features"]
    parents = gallery.wire.ok("items.lineage", item_id=item["id"])["parents"]

    assert [item["id"]] == [one["id"] for one in found]
    assert parents == [{"entity_type": "upload", "entity_id": gallery.uploads[name]}]


@pytest.mark.parametrize("name", KINDS)
def test_the_pipeline_tells_names_statistics_and_a_profile(gallery: Gallery, name: str) -> None:
    """After it the item says done, each band has numbers near the source's, and one profile is the default."""
    kind, item = KINDS[name], gallery.items[name]
    profiles = gallery.wire.ok("visualization.profiles.list", item_id=item["id"])["profiles"]
    (default,) = [one for one in profiles if one["is_default"]]
    feature = gallery.wire.ok("items.get_stac", item_id=item["id"])
    bands = feature["assets"]["data"]["bands"]
    one = {"item_id": item["id"], "profile_id": default["id"]}

    assert item["properties"]["geopera:pipeline"] == "done"
    assert kind.type == default["type"]
    assert default == gallery.wire.ok("visualization.profile.get", **one)
    assert len(kind.values) == len(bands)
    for band, values in zip(bands, kind.values, strict=True):
        assert pytest.approx(values.mean(), rel=0.01, abs=1) == band["statistics"]["mean"]
        assert pytest.approx(values.max(), rel=0.01, abs=1) == band["statistics"]["maximum"]
    if kind.names:
        assert list(kind.names) == gallery.asset(name)["band_names"]


def required(value: dict[str, Any], **types: type | tuple[type, ...]) -> bool:
    """Whether these members are there and of these types."""
    return all(isinstance(value.get(name.replace("__", ":")), kind) for name, kind in types.items())


@pytest.mark.parametrize("name", KINDS)
def test_items_are_valid_stac(gallery: Gallery, name: str) -> None:
    """The core by the schemas that pystac ships; of the extensions the rules for what is written here."""
    pytest.importorskip("jsonschema")
    feature = gallery.wire.ok("items.get_stac", item_id=gallery.items[name]["id"])
    extensions = feature.pop("stac_extensions")
    pystac.Item.from_dict({**feature, "stac_extensions": []}).validate()
    properties, data = feature["properties"], feature["assets"]["data"]

    assert feature["stac_version"] == "1.1.0"
    assert {one.split("/")[3] + one.split("/")[4] for one in extensions} == {
        "projectionv2.0.0",
        "rasterv2.0.0",
        "filev2.1.0",
        "eov2.0.0",
    }
    assert properties["proj:code"] == str(KINDS[name].profile["crs"])
    assert not {"proj:epsg", "raster:bands", "eo:bands"} & (properties.keys() | data.keys())
    assert properties["proj:shape"] == [ROWS, COLUMNS]
    assert (len(properties["proj:transform"]), len(properties["proj:bbox"])) == (6, 4)
    assert required(data, file__size=int, bands=list)
    for band in data["bands"]:
        assert required(band, name=str, data_type=str, statistics=dict)
        assert {"minimum", "maximum", "mean", "stddev", "valid_percent", "count"} >= band["statistics"].keys()
    if KINDS[name].names:
        assert [band["eo:common_name"] for band in data["bands"]] == list(KINDS[name].names)
    assert feature["assets"]["thumbnail"]["roles"] == ["thumbnail"]


def test_a_thumbnail_is_a_small_jpeg(gallery: Gallery) -> None:
    """cog.thumbnail by the asset's URL, also by GET as the STAC item links it, in the raster's proportions."""
    wire = gallery.wire
    feature = wire.ok("items.get_stac", item_id=gallery.items["rgb"]["id"])
    linked = wire.http.get(feature["assets"]["thumbnail"]["href"])
    asked = wire.post("cog.thumbnail", url=gallery.asset("rgb")["href"], width=100, height=100)
    small = RGB[:, 2::4, 2::4]

    assert linked.headers["content-type"] == asked.headers["content-type"] == "image/jpeg"
    assert (decoded(linked.content).shape, decoded(asked.content).shape) == ((3, 192, 256), (3, 75, 100))
    assert np.abs(decoded(asked.content).astype(int) - small).mean() < 6


def test_tiles_by_expression_bands_and_format(gallery: Gallery) -> None:
    """Direct parameters override the profile; webp is the default format."""
    item_id, tile = gallery.items["multispectral"]["id"], gallery.tile_at("multispectral")
    plain = gallery.wire.post("items.tile.render", item_id=item_id, **tile)
    ndvi = {"expression": "(b4-b3)/(b4+b3)", "rescale": "-1,1", "colormap": "viridis"}
    index = gallery.wire.post("items.tile.render", item_id=item_id, **tile, **ndvi, format="png")
    grey = {"bands": "nir", "rescale": "0,4000"}
    url = gallery.asset("multispectral")["href"]
    band = gallery.wire.post("cog.tile.render", url=url, **tile, **grey, format="png")
    values, inside = sampled(KINDS["multispectral"], tile)
    _, _, red, nir = values.astype(float)
    wanted = viridis(-1, 1)(((nir - red) / (nir + red))[None])
    got = decoded(index.content).reshape(4, -1)[:3].astype(float)

    assert plain.headers["content-type"] == "image/webp"
    assert np.percentile(np.abs(got - wanted).max(axis=0)[inside], 98) <= 6
    assert np.abs(decoded(band.content)[0].ravel() - nir / 4000 * 255)[inside].max() <= 3


def test_terrain_tells_heights(gallery: Gallery) -> None:
    """The three bytes of a pixel are the source's height in decimetres above -10000 m."""
    tile = gallery.tile_at("heights")
    response = gallery.wire.post("cog.tile.terrain", url=gallery.asset("heights")["href"], **tile)
    red, green, blue = decoded(response.content)[:3].reshape(3, -1).astype(float)
    values, inside = sampled(KINDS["heights"], tile)
    heights = -10_000 + 0.1 * (red * 65536 + green * 256 + blue)

    assert np.abs(heights - values[0])[inside].max() < 3


def test_statistics_of_an_expression(gallery: Gallery) -> None:
    """Over the item, and inside a geometry, as numpy reckons them."""
    expression = "b4-b3"
    found = gallery.wire.ok(
        "items.tile.statistics", item_id=gallery.items["multispectral"]["id"], expression=expression
    )
    difference = MULTI[3].astype(float) - MULTI[2]
    west, south, east, north = gallery.items["multispectral"]["bbox"]
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area = gallery.wire.ok(
        "cog.statistics",
        url=gallery.asset("multispectral")["href"],
        geometry={"type": "Polygon", "coordinates": [ring]},
        bands="red",
        percentiles=[5, 95],
    )["statistics"]["b3"]

    assert pytest.approx(np.percentile(difference, (2, 98)), abs=20) == found["rescale"]
    assert pytest.approx(difference.mean(), abs=5) == found["statistics"][expression]["mean"]
    assert pytest.approx(np.percentile(MULTI[2], 95), rel=0.02) == area["percentile_95"]


def test_tilejson_leads_to_tiles(gallery: Gallery) -> None:
    """Its URL template, filled in, gives a tile to who may read the item, and a problem to who may not."""
    item = gallery.items["degrees"]
    found = gallery.wire.ok("items.tile.tilejson", item_id=item["id"])
    url = found["tiles"][0].format(**gallery.tile_at("degrees"))

    assert (found["tilejson"], found["bounds"]) == ("3.0.0", item["bbox"])
    assert 12 <= found["maxzoom"] <= 14
    assert gallery.wire.http.get(url).headers["content-type"] == "image/webp"
    assert gallery.wire.bare.get(url).status_code == 401


@pytest.mark.parametrize(
    ("operation", "change", "status"),
    [
        ("items.tile.render", {"x": 0, "y": 0}, 404),
        ("items.tile.render", {"x": 1 << 14}, 422),
        ("items.tile.render", {"z": 31}, 422),
        ("items.tile.render", {"bands": "9"}, 422),
        ("items.tile.render", {"bands": "1,2"}, 422),
        ("items.tile.render", {"rescale": "5,1"}, 422),
        ("items.tile.render", {"colormap": "nothing", "bands": "1"}, 422),
        ("items.tile.render", {"expression": "__import__('os').system('id')"}, 422),
        ("items.tile.render", {"format": "gif"}, 422),
        ("items.tile.render", {"profile": "nobody"}, 404),
        ("items.tile.render", {"asset_key": "none"}, 404),
        ("items.tile.render", {"item_id": "it_none"}, 404),
        ("cog.tile.render", {"url": "http://169.254.169.254/latest", "format": "png"}, 422),
        ("cog.tile.render", {"url": "file:///etc/passwd", "format": "png"}, 422),
        ("cog.tile.render", {"url": "http://[", "format": "png"}, 422),
        ("cog.tile.terrain", {}, 422),
    ],
)
def test_what_cannot_be_painted_is_refused(
    gallery: Gallery, operation: str, change: dict[str, Any], status: int
) -> None:
    """Each wrong wish has a problem as its answer, and nothing is fetched from elsewhere."""
    place = {"item_id": gallery.items["rgb"]["id"], "url": gallery.asset("rgb")["href"]}
    response = gallery.wire.post(operation, **{**place, **gallery.tile_at("rgb"), **change})

    assert (status, "detail" in response.json()) == (response.status_code, True)


def test_half_a_character_is_no_json(gallery: Gallery) -> None:
    """An escape that no text can hold is refused before anything is asked of the database."""
    headers = {"Content-Type": "application/json"}
    body = b'{"item_id": "\\ud800"}'

    assert gallery.wire.http.post("/v1/op/items.get", content=body, headers=headers).status_code == 400


def test_a_clip_is_an_item_with_its_pixels(gallery: Gallery) -> None:
    """The part inside the box, value by value, with its parent in the lineage and its bytes on the quota."""
    wire, item = gallery.wire, gallery.items["multispectral"]
    west, south, east, north = item["bbox"]
    box = [
        west + (east - west) / 3,
        south + (north - south) / 3,
        east - (east - west) / 3,
        north - (north - south) / 3,
    ]
    before = wire.box.state()["used_bytes"]
    made = wire.settled(wire.ok("clip.create_from_item", item_id=item["id"], bbox=box)["item_id"])
    (asset,) = wire.ok("items.list_assets", item_id=made["id"])["assets"]
    content = wire.bare.get(
        wire.ok("items.asset.download", item_id=made["id"], asset_id=asset["id"])["url"]
    ).content
    with MemoryFile(content) as memory, memory.open() as raster:
        column, row = (
            round(n)
            for n in ~KINDS["multispectral"].profile["transform"] * (raster.bounds.left, raster.bounds.top)
        )
        part = MULTI[:, row : row + raster.height, column : column + raster.width]
        assert (raster.read() == part).all()
        assert raster.descriptions == KINDS["multispectral"].names
    graph = wire.ok("provenance.get", entity_type="item", entity_id=made["id"])

    assert (made["type"], made["upload_id"], made["properties"]["geopera:pipeline"]) == ("clip", None, "done")
    assert [(one["relation"], one["dst_id"]) for one in graph["edges"]] == [
        ("wasDerivedFrom", item["id"]),
        ("wasGeneratedBy", gallery.uploads["multispectral"]),
    ]
    assert wire.box.state()["used_bytes"] == before + len(content)
    assert wire.post("clip.create_from_item", item_id=item["id"], bbox=[0, 0, 1, 1]).status_code == 422


def test_an_index_is_numbers_a_picture_or_an_item(gallery: Gallery) -> None:
    """NDVI by the bands' names; as `cog` it is a new item that knows its parent."""
    wire, item = gallery.wire, gallery.items["multispectral"]
    west, south, east, north = item["bbox"]
    wish = {"cog_url": gallery.asset("multispectral")["href"], "index_name": "NDVI", "sensor": "any"}
    wish["bbox"] = {"west": west, "south": south, "east": east, "north": north}
    numbers = wire.ok("analytics.calculate_index", **wish)["statistics"]
    picture = wire.post("analytics.calculate_index", **wish, output_format="png")
    made = wire.settled(wire.ok("analytics.calculate_index", **wish, output_format="cog")["item_id"])
    red, nir = MULTI[2].astype(float), MULTI[3].astype(float)

    assert pytest.approx(((nir - red) / (nir + red)).mean(), abs=0.01) == numbers["mean"]
    assert decoded(picture.content).shape[0] == 4
    assert made["type"] == "derived_raster"
    assert wire.ok("items.lineage", item_id=made["id"])["parents"] == [
        {"entity_type": "item", "entity_id": item["id"]}
    ]
    assert wire.post("analytics.calculate_index", **{**wish, "index_name": "magic"}).status_code == 422


def test_the_pipeline_waits_and_survives_a_restart(tmp_path: Path) -> None:
    """Before its delay nothing is told; rows that a stopped sandbox left are done by the next one."""
    options = {"root": tmp_path, "rate_limit": 0, "api_key": "gpra_k"}
    with Sandbox(Options(**options, pipeline_delay=60)) as box, Wire(box) as wire:
        _, (item_id,) = wire.upload({"a.tif": written(KINDS["rgb"])})
        early = wire.ok("items.get", item_id=item_id)["item"]["properties"]["geopera:pipeline"]
        (asset,) = wire.ok("items.list_assets", item_id=item_id)["assets"]
        none = wire.ok("visualization.profiles.list", item_id=item_id)["profiles"]
        box.world.database._writer.execute("UPDATE pipeline SET due_at = 0")
    with Sandbox(Options(**options)) as box, Wire(box) as wire:
        late = wire.settled(item_id)["properties"]["geopera:pipeline"]

    assert (early, asset["band_names"], none, late) == ("pending", None, [], "done")


def test_a_hostile_raster_fails_its_pipeline_and_nothing_else(tmp_path: Path) -> None:
    """A raster of 3.6 gigapixels keeps a painter past its deadline; the server answers, the next item is done."""
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "crs": "EPSG:3857", "sparse_ok": True}
    bomb = tmp_path / "bomb.tif"
    size = {"width": 60_000, "height": 60_000, "blockxsize": 16, "blockysize": 16, "tiled": True}
    where = {"transform": from_origin(0, 0, 10, 10), "compress": "deflate"}
    with rasterio.open(bomb, "w", **profile, **size, **where):
        pass
    options = Options(root=tmp_path / "root", rate_limit=0, paint_deadline=1.5)
    with Sandbox(options) as box, Wire(box) as wire:
        upload_id = wire.initiate(bomb.stat().st_size)
        wire.store(upload_id, "bomb.tif", bomb.read_bytes())
        (bad,) = wire.ok("uploads.complete", upload_id=upload_id)["item_ids"]
        _, (good,) = wire.upload({"good.tif": written(KINDS["rgb"])})
        failed = wire.settled(bad)["properties"]["geopera:pipeline"]
        tile = wire.post("items.tile.render", item_id=bad, z=0, x=0, y=0)
        fine = wire.settled(good)["properties"]["geopera:pipeline"]

    assert (failed, tile.status_code, fine) == ("failed", 422, "done")


def test_a_raster_that_names_another_file_is_refused(tmp_path: Path) -> None:
    """A TIFF whose overviews lie in a file of its choice is not painted at all."""
    path = tmp_path / "r.tif"
    path.write_bytes(written(KINDS["rgb"]))
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(ns="OVERVIEWS", OVERVIEW_FILE="/etc/passwd")
    painters = Painters(1, 20)
    try:
        with pytest.raises(Unpaintable, match="another file"):
            painters.paint(path, "describe")
    finally:
        painters.close()


def test_the_page_shows_the_map_with_nothing_from_outside(gallery: Gallery) -> None:
    """The page, its library, its tiles and its thumbnail all come from the sandbox's own origin."""
    wire, item = gallery.wire, gallery.items["rgb"]
    base = f"{wire.box.base_url}/sandbox"
    page = wire.bare.get(f"{base}/items/{item['id']}")
    tile = "/".join(str(number) for number in gallery.tile_at("rgb").values())
    overview = wire.bare.get(f"{base}/items").text

    assert "rgb.tif" in page.text
    assert gallery.uploads["rgb"] in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert b"Leaflet" in wire.bare.get(f"{base}/leaflet/leaflet.js").content
    assert wire.bare.get(f"{base}/leaflet/secret").status_code == 404
    assert decoded(wire.bare.get(f"{base}/items/{item['id']}/tiles/{tile}").content).shape == (4, 256, 256)
    assert wire.bare.get(f"{base}/items/{item['id']}/tiles/14/0/0").status_code == 200
    assert decoded(wire.bare.get(f"{base}/items/{item['id']}/thumbnail").content).shape[0] == 4
    assert all(name in overview for name in KINDS)
    assert wire.bare.get(f"{base}/items/it_none").status_code == 404


def test_the_default_profile_follows_the_bands() -> None:
    """The decision alone: colours by name before colours by order, classes before scales, bytes as they are."""
    bands = [{"index": n, "common_name": c, "percentiles": [n, n + 5.0]} for n, c in enumerate("abc", 1)]
    named = [
        {**band, "common_name": name} for band, name in zip(bands, ("blue", "green", "red"), strict=True)
    ]

    assert suggest(bands, "int16", palette=True, categorical=True).config["colormap"] == "palette"
    assert suggest(bands, "int16", palette=False, categorical=True).config["colormap"] == "classes"
    assert suggest(bands, "uint8", palette=False, categorical=False).type == "multiband"
    assert suggest(named, "int16", palette=False, categorical=False).config == {
        "bands": [3, 2, 1],
        "rescale": [[3, 8], [2, 7], [1, 6]],
    }
    assert suggest(bands[:1], "uint8", palette=False, categorical=False).config["rescale"] == [[0, 255]]
    assert ranges("0,1,2,3") == ranges("0,1;2,3") == [[0, 1], [2, 3]]
