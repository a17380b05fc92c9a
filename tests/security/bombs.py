"""Attacks by size: much from little, without an end, or more than there is."""

from __future__ import annotations

import zlib
from pathlib import Path

import rasterio

from tests.security import tiffs
from tests.security.family import attack, auxiliary, plain
from tests.security.lures import Lure


def _by_hand(folder: Path, tags: dict[int, tiffs.Values], pixels: bytes = bytes(4096), **more: int) -> None:
    tiffs.write(folder / "source.tif", tags, pixels, **more)


def _items(folder: Path, count: int) -> None:
    items = b"".join(b'<Item name="k%d">v</Item>' % number for number in range(count))
    tags = {**tiffs.small(), tiffs.GDAL_METADATA: tiffs.text(b"<GDALMetadata>" + items + b"</GDALMetadata>")}
    _by_hand(folder, tags)


@attack("bombs")
def a_sparse_giant(folder: Path, lure: Lure) -> None:
    """Two thousand million pixels square, and no tile of it is there."""
    tiles = {
        tiffs.TILE_WIDTH: tiffs.longs(16),
        tiffs.TILE_HEIGHT: tiffs.longs(16),
        tiffs.TILE_OFFSETS: tiffs.longs(0, 0),
        tiffs.TILE_COUNTS: tiffs.longs(0, 0),
    }
    side = tiffs.longs(2**31 - 16)
    _by_hand(folder, {**tiffs.small(), **tiles, tiffs.WIDTH: side, tiffs.HEIGHT: side})


@attack("bombs")
def a_sparse_field(folder: Path, lure: Lure) -> None:
    """Within the limit of pixels, and all of it made from nothing."""
    with rasterio.open(
        folder / "source.tif", "w", driver="GTiff", width=300_000, height=300_000, count=1, dtype="uint8",
        tiled=True, blockxsize=8192, blockysize=8192, sparse_ok="TRUE", bigtiff="YES",
    ):  # fmt: skip
        pass


@attack("bombs")
def one_giant_block(folder: Path, lure: Lure) -> None:
    """One strip of sixteen thousand million bytes."""
    side = tiffs.longs(130_000)
    _by_hand(folder, {**tiffs.small(), tiffs.WIDTH: side, tiffs.HEIGHT: side, tiffs.ROWS_PER_STRIP: side})


@attack("bombs")
def a_deflated_giant(folder: Path, lure: Lure) -> None:
    """One strip that deflates a thousand to one into as much as may be taken."""
    side = 6_000
    pixels = zlib.compress(bytes(side * side), 9)
    tags = {**tiffs.small(side), tiffs.COMPRESSION: tiffs.shorts(8), tiffs.COUNTS: tiffs.longs(len(pixels))}
    _by_hand(folder, tags, pixels)


@attack("bombs")
def more_than_was_declared(folder: Path, lure: Lure) -> None:
    """A strip that says 4 KiB and inflates to 64 MiB."""
    pixels = zlib.compress(bytes(64 << 20), 9)
    tags = {**tiffs.small(), tiffs.COMPRESSION: tiffs.shorts(8), tiffs.COUNTS: tiffs.longs(len(pixels))}
    _by_hand(folder, tags, pixels)


@attack("bombs")
def a_picture_in_a_tile(folder: Path, lure: Lure) -> None:
    """A tile of 64 pixels whose JPEG says 65,500 square."""
    size = (65_500).to_bytes(2, "big") * 2
    jpeg = (
        b"\xff\xd8\xff\xc0\x00\x0b\x08" + size + b"\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    )
    tags = {**tiffs.small(), tiffs.COMPRESSION: tiffs.shorts(7), tiffs.COUNTS: tiffs.longs(len(jpeg) + 64)}
    _by_hand(folder, tags, jpeg + bytes(4096))


@attack("bombs")
def all_bands_there_are(folder: Path, lure: Lure) -> None:
    """65,535 samples in each pixel."""
    tags = {**tiffs.small(), tiffs.SAMPLES: tiffs.shorts(65_535), tiffs.BITS: tiffs.shorts(*[8] * 65_535)}
    _by_hand(folder, tags)


@attack("bombs")
def ten_thousand_bands_apart(folder: Path, lure: Lure) -> None:
    """Ten thousand bands, each in a strip of its own."""
    count = 10_000
    more = {
        tiffs.SAMPLES: tiffs.shorts(count),
        tiffs.BITS: tiffs.shorts(*[8] * count),
        284: tiffs.shorts(2),
        tiffs.OFFSETS: tiffs.longs(*[8] * count),
        tiffs.COUNTS: tiffs.longs(*[4096] * count),
    }
    _by_hand(folder, {**tiffs.small(), **more})


@attack("bombs")
def twenty_thousand_pages(folder: Path, lure: Lure) -> None:
    """A chain of twenty thousand directories."""
    pages, here = [], 8 + 4096
    size = len(tiffs.ifd(tiffs.small(), 0, 0))
    for number in range(20_000):
        last = number == 19_999
        pages.append(tiffs.ifd(tiffs.small(), here, 0 if last else here + size))
        here += size
    head = b"II*\0" + (8 + 4096).to_bytes(4, "little") + bytes(4096)
    (folder / "source.tif").write_bytes(head + b"".join(pages))


@attack("bombs")
def a_page_that_follows_itself(folder: Path, lure: Lure) -> None:
    """The next directory is the same."""
    _by_hand(folder, tiffs.small(), follows=-1)


@attack("bombs")
def pages_inside_themselves(folder: Path, lure: Lure) -> None:
    """A directory that holds itself, many times."""
    _by_hand(folder, {**tiffs.small(), tiffs.SUB_IFDS: tiffs.longs(*[8 + 4096] * 5000)})


@attack("bombs")
def every_tag_there_is(folder: Path, lure: Lure) -> None:
    """Sixty thousand unknown tags."""
    _by_hand(folder, {**{tag: tiffs.longs(1) for tag in range(5_000, 65_000)}, **tiffs.small()})


@attack("bombs")
def tags_beyond_the_end(folder: Path, lure: Lure) -> None:
    """Tags that claim thousands of millions of values."""
    claims = {
        tiffs.GDAL_METADATA: tiffs.text(b"<GDALMetadata>", claimed=2**32 - 2),
        tiffs.TIEPOINTS: (tiffs.DOUBLE, (0.0,) * 6, 2**29),
        tiffs.GEO_KEYS: tiffs.shorts(1, 1, 0, 65_535, claimed=65_532),
        tiffs.GDAL_NODATA: tiffs.text(b"0", claimed=2**31),
    }
    _by_hand(folder, {**tiffs.small(), **claims})


@attack("bombs")
def a_tile_for_each_pixel(folder: Path, lure: Lure) -> None:
    """Strips by the hundred million, of one row each, that are not there."""
    tall = {tiffs.HEIGHT: tiffs.longs(400_000_000), tiffs.ROWS_PER_STRIP: tiffs.longs(1)}
    _by_hand(folder, {**tiffs.small(), **tall, tiffs.OFFSETS: tiffs.longs(8, 8, claimed=400_000_000)})


@attack("bombs")
def metadata_by_the_ten_thousand(folder: Path, lure: Lure) -> None:
    """Ten thousand items of internal metadata; GDAL's time goes with their square."""
    _items(folder, 10_000)


@attack("heavy", costs=True)
def metadata_by_the_hundred_thousand(folder: Path, lure: Lure) -> None:
    """A hundred thousand items of internal metadata."""
    _items(folder, 100_000)


@attack("bombs")
def domains_by_the_thousand(folder: Path, lure: Lure) -> None:
    """Five thousand domains of metadata, in the raster and in the `.aux.xml`."""
    items = b"".join(b'<Item name="k" domain="d%d">v</Item>' % number for number in range(5_000))
    tags = {**tiffs.small(), tiffs.GDAL_METADATA: tiffs.text(b"<GDALMetadata>" + items + b"</GDALMetadata>")}
    _by_hand(folder, tags)
    auxiliary(
        folder, "".join(f'<Metadata domain="e{n}"><MDI key="k">v</MDI></Metadata>' for n in range(5_000))
    )


@attack("bombs")
def markup_as_deep_as_it_goes(folder: Path, lure: Lure) -> None:
    """Internal metadata, `.aux.xml` and `.prj` with a hundred thousand things in one another."""
    deep = 100_000
    nested = "<a>" * deep + "</a>" * deep
    tags = {**tiffs.small(), tiffs.GDAL_METADATA: tiffs.text(f"<GDALMetadata>{nested}".encode())}
    _by_hand(folder, tags)
    auxiliary(folder, nested)
    (folder / "source.prj").write_text("GEOGCS[" * deep)


@attack("bombs")
def laughter(folder: Path, lure: Lure) -> None:
    """Entities that multiply to a thousand million."""
    plain(folder)
    lines = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{"".join(lines)}]>'
    auxiliary(folder, "<Metadata><MDI key='k'>&l9;</MDI></Metadata>", head)


@attack("bombs")
def a_histogram_of_millions(folder: Path, lure: Lure) -> None:
    """An `.aux.xml` that says how often two thousand million values occur."""
    plain(folder)
    count = "<HistMin>0</HistMin><HistMax>1</HistMax><BucketCount>2147483647</BucketCount>"
    item = f"<Histograms><HistItem>{count}<HistCounts>1|1</HistCounts></HistItem></Histograms>"
    auxiliary(folder, f'<PAMRasterBand band="1">{item}</PAMRasterBand>')


@attack("bombs")
def points_by_the_hundred_thousand(folder: Path, lure: Lure) -> None:
    """Thirty thousand ground control points inside, and as many beside."""
    numbers = tuple(float(n % 977) for n in range(6 * 30_000))
    _by_hand(folder, {**tiffs.small(), tiffs.TIEPOINTS: (tiffs.DOUBLE, numbers, 0)})
    points = "".join(f'<GCP Pixel="{n}" Line="{n}" X="{n}" Y="1" Z="0"/>' for n in range(30_000))
    auxiliary(folder, f"<GCPList>{points}</GCPList>")


@attack("bombs")
def a_mask_of_a_giant(folder: Path, lure: Lure) -> None:
    """The `.msk` and the `.ovr` are TIFFs that declare more than can be."""
    plain(folder)
    for suffix in (".msk", ".ovr"):
        side = tiffs.longs(2**31 - 16)
        tags = {**tiffs.small(), tiffs.WIDTH: side, tiffs.HEIGHT: side, tiffs.ROWS_PER_STRIP: side}
        tiffs.write(folder / f"source.tif{suffix}", tags)


@attack("heavy", costs=True)
def zeros_beside(folder: Path, lure: Lure) -> None:
    """Sidecars of a thousand million zeros each."""
    plain(folder)
    for name in (
        "source.tfw",
        "source.wld",
        "source.prj",
        "source.tif.aux.xml",
        "source_rpc.txt",
        "source.IMD",
    ):
        with (folder / name).open("wb") as file:
            file.truncate(1 << 30)


@attack("heavy", costs=True)
def pages_by_the_hundred_thousand(folder: Path, lure: Lure) -> None:
    """Three hundred thousand directories."""
    size = len(tiffs.ifd(tiffs.small(), 0, 0))
    with (folder / "source.tif").open("wb") as file:
        file.write(b"II*\0" + (8 + 4096).to_bytes(4, "little") + bytes(4096))
        for number in range(300_000):
            here = 8 + 4096 + number * size
            file.write(tiffs.ifd(tiffs.small(), here, here + size if number < 299_999 else 0))


@attack("heavy", costs=True)
def a_field_of_zeros(folder: Path, lure: Lure) -> None:
    """Tiles that deflate a thousand to one, nine hundred million pixels of them."""
    with rasterio.open(
        folder / "source.tif", "w", driver="GTiff", width=30_000, height=30_000, count=1, dtype="uint8",
        tiled=True, blockxsize=8192, blockysize=8192, compress="deflate",
    ):  # fmt: skip
        pass
