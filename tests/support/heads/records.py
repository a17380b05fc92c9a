"""Heads about what is told of a raster: texts, dates, resolution, profiles, Exif, private tags, further pages."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.support.heads.base import Random, kind, pick, picture, place, samples
from tests.support.tiffwriter import (
    IFD,
    Entry,
    Picture,
    blob,
    doubles,
    longs,
    ratios,
    shorts,
    text,
)

_TEXTS = (269, 270, 271, 272, 305, 306, 315, 316, 33432)
_EXIF, _GPS, _INTEROPERABILITY = 34665, 34853, 40965
_XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_ITEMS = """<GDALMetadata>
  <Item name="SENSOR">frame camera</Item>
  <Item name="GAIN" sample="0">0.25</Item>
  <Item name="ORBIT" domain="MISSION">17</Item>
  <Item name="DESCRIPTION" sample="0" role="description">near infrared</Item>
</GDALMetadata>"""


def _one(random: Random, tags: dict[int, Entry], **more: object) -> Sequence[Picture]:
    return [picture(random, samples(random, pick(random, 1, 2)), tags, **more)]


@kind("texts")
def _texts(random: Random) -> Sequence[Picture]:
    """All of them, some that are no UTF-8, with and without more than one NUL at the end."""
    words = pick(random, b"a survey of May", "Höhe über Null".encode(), "Höhe".encode("latin-1"))
    chosen = {code: text(words + b"\0" * int(random.integers(2))) for code in _TEXTS if random.integers(2)}
    date = {306: text(pick(random, b"2024:05:17 10:11:12", b"yesterday"))}
    return _one(random, {270: text(words), **chosen, **date})


@kind("resolution")
def _resolution(random: Random) -> Sequence[Picture]:
    ratio = pick(random, ratios(300, 1), ratios(28346, 10), ratios(1, 3), ratios(0, 1))
    return _one(random, {282: ratio, 283: ratio, 296: shorts(pick(random, 1, 2, 3))})


@kind("profiles")
def _profiles(random: Random) -> Sequence[Picture]:
    """XMP, IPTC, Photoshop's and ICC's blocks, with the types that programs give them."""
    icc = (
        struct.pack(">I4s4s4s4s4s", 160, b"test", b"\2\x10\0\0", b"mntr", b"RGB ", b"XYZ ").ljust(36, b"\0")
        + b"acsp"
    )
    iptc = b"\x1c\x02\x05\x00\x08a survey".ljust(16, b"\0")
    photoshop = b"8BIM\x04\x04\0\0\0\0\0\x04\1\2\3\4"
    blocks = {
        700: pick(random, blob(_XMP), Entry(1, _XMP)),
        33723: pick(random, blob(iptc), longs(*struct.unpack("<4I", iptc))),
        34377: pick(random, blob(photoshop), Entry(1, photoshop)),
        34675: blob(icc.ljust(160, b"\0")),
    }
    return _one(random, {code: entry for code, entry in blocks.items() if random.random() < 0.6})


@kind("Exif and GPS")
def _exif(random: Random) -> Sequence[Picture]:
    exif = {
        33434: ratios(1, 250), 34855: shorts(200), 36864: blob(b"0230"), 36867: text(b"2024:05:17 10:11:12"),
        37386: ratios(88, 10), 37500: blob(b"a maker's own notes"), 41486: ratios(2000000, 300),
    }  # fmt: skip
    gps = {
        0: Entry(1, b"\2\3\0\0"), 1: text(b"N"), 2: ratios(47, 1, 16, 1, 3051, 100), 3: text(b"E"),
        4: ratios(13, 1, 2, 1, 1104, 100), 6: ratios(51234, 100),
    }  # fmt: skip
    inner = pick(random, {_EXIF: exif}, {_GPS: gps}, {_EXIF: exif, _GPS: gps})
    return _one(random, {}, inner=inner)


@kind("private tags")
def _private(random: Random) -> Sequence[Picture]:
    """Of types that hold no offset, and of those that may."""
    tags = {
        65000: text(b"a chain of our own"), 65001: shorts(1, 2, 3), 65002: doubles(0.1, -7.25), 65003: ratios(1, 3),
        65010: Entry(IFD, (8,)), 65011: longs(8), 65012: blob(b"\0\1\2 bytes"), 50909: text(b"<GEO/>"),
    }  # fmt: skip
    return _one(
        random, {code: entry for code, entry in tags.items() if random.random() < 0.5} or {65000: tags[65000]}
    )


@kind("page")
def _page(random: Random) -> Sequence[Picture]:
    tags = {285: text(b"sheet 4"), 286: ratios(1, 2), 287: ratios(3, 2), 297: shorts(4, 10)}
    return _one(random, tags | pick(random, {}, {321: shorts(10, 200)}, {280: shorts(0), 281: shorts(255)}))


@kind("GDAL's metadata")
def _metadata(random: Random) -> Sequence[Picture]:
    words = pick(random, _ITEMS, _ITEMS.replace("camera", "camera, 'Höhe'"), _ITEMS[:-15])
    return _one(random, {42112: text(words.encode())})


@kind("nodata in words")
def _nodata(random: Random) -> Sequence[Picture]:
    """As programs write it: with digits to spare, blanks, or in another case."""
    words = pick(
        random, b"-9999", b"-9999.000000", b" -9999 ", b"nan", b"NaN", b"-3.4028234663852886e+38", b"1e+30"
    )
    pixels = samples(random, pick(random, 1, 2), "f4", "f8")
    pixels[: pixels.shape[0] // 4] = float(words)
    return [picture(random, pixels, {42113: text(words)})]


@kind("rational polynomials")
def _rpc(random: Random) -> Sequence[Picture]:
    offsets = (0.5, 0.25, 2710.0, 3512.0, 47.31, 13.1, 215.0, 2711.0, 3513.0, 0.0833, 0.1221, 501.0)
    numbers = (*offsets, *(float(x) for x in random.normal(size=80)))
    bare = dict.fromkeys(place(random))
    return [picture(random, samples(random, 1, "u2"), {**bare, 50844: doubles(*numbers)})]


@kind("directories within")
def _within(random: Random) -> Sequence[Picture]:
    """A reduced picture, or another one, in SubIFDs."""
    pixels = samples(random, 1, "u1")
    child = Picture(pixels[::2, ::2], {254: longs(pick(random, 1, 0))})
    return [picture(random, pixels, children=[child])]


@kind("further pages")
def _pages(random: Random) -> Sequence[Picture]:
    return [picture(random, samples(random, 1, "u1")), Picture(samples(random, 1, "u1"))]


@kind("types of numbers")
def _types(random: Random) -> Sequence[Picture]:
    """SHORT where others write LONG, and the other way round."""
    pixels = samples(random, 1, "u1", "u2")
    rows, columns, _ = pixels.shape
    pair = pick(random, (shorts(columns), longs(rows)), (longs(columns), shorts(rows)))
    return [picture(random, pixels, {256: pair[0], 257: pair[1], 277: longs(1), 262: longs(1)})]
