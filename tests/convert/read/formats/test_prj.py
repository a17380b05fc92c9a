"""What a `.prj` says, in every spelling; what cannot be read tells nothing, and is never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasterio.crs import CRS

from uploader.convert.read import reference_systems
from uploader.convert.read.formats import prj

pytestmark = pytest.mark.unit

_UTM = CRS.from_epsg(25832)
_WKT = _UTM.to_wkt()
_KEYWORDS = (
    b"Projection    UTM\r\nZone          32\r\nDatum         WGS84\r\nSpheroid      WGS84\r\nUnits         METERS\r\n"
    b"Zunits        NO\r\nXshift        0.0\r\nYshift        0.0\r\nParameters\r\n"
)
_ALBERS = (
    b"PROJECTION ALBERS\nDATUM NAD83\nSPHEROID GRS80\nUNITS METERS\nPARAMETERS\n29 30 0.0 /* 1st standard parallel\n"
    b"45 30 0.0 /* 2nd standard parallel\n-96 0 0.0 /* central meridian\n23 0 0.0 /* latitude of origin\n0.0\n0.0\n"
)


def told(content: bytes, folder: Path) -> str:
    """What a file of this content tells."""
    path = folder / "a.prj"
    path.write_bytes(content)
    return prj.wkt_of(prj.text_of(path))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xef\xbb\xbf" + _WKT.encode(), 25832),
        (_WKT.encode("utf-16"), 25832),
        (_WKT.encode("utf-16-le"), 25832),
        (_WKT.encode("utf-16-be"), 25832),
        (_WKT.replace("UTM zone 32N", "H\xf6he").encode("latin-1"), 25832),
        (_WKT.encode() + b"\r\n\0\0", 25832),
        (_UTM.to_wkt(version="WKT2_2019").encode(), 25832),
        (_UTM.to_wkt(version="WKT1_ESRI").encode(), 25832),
        (_WKT.replace("[", "(").replace("]", ")").encode(), 25832),
        (b"EPSG:25832\n", 25832),
        (b"epsg:25832", 25832),
        (b"urn:ogc:def:crs:EPSG::25832", 25832),
        (b"http://www.opengis.net/def/crs/EPSG/0/25832", 25832),
        (b"+init=epsg:25832 +no_defs", 25832),
        (b"+proj=utm +zone=32 +datum=WGS84 +units=m +no_defs\n", 32632),
        (b"proj=utm\nzone=32\ndatum=WGS84\n", 32632),
        (_KEYWORDS, 32632),
        (_ALBERS, 5070),
        (b"Projection GEOGRAPHIC\nDatum NAD27\nUnits DD\nParameters\n", 4267),
        (b"EPSG:25832+7837", None),
    ],
)
def test_every_spelling_is_read(tmp_path: Path, content: bytes, code: int | None) -> None:
    """Encodings, byte order marks, WKT of all kinds, codes, PROJ strings and the keywords of ARC/INFO."""
    wanted = CRS.from_epsg(code) if code else CRS.from_user_input("EPSG:25832+7837")

    assert reference_systems.same(told(content, tmp_path), wanted.to_wkt())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n",
        b"hello world",
        b"<html></html>",
        _WKT.encode()[:100],
        b"EPSG:999999",
        b"25832",
        b"+proj=nonsense",
        b"+proj=pipeline +step +proj=utm +zone=32",
        b"+init=/etc/passwd:32",
        b"+proj=utm +zone=32 +x=/etc/passwd",
        b'{"type": "GeographicCRS"}',
        _KEYWORDS.replace(b"WGS84", b"ETRS89"),
        _KEYWORDS.replace(b"Zone          32\r\n", b""),
        _KEYWORDS.replace(b"Yshift        0.0", b"Yshift        -5000000"),
        _KEYWORDS.replace(b"Yshift        0.0", b"Yshift        none"),
        _ALBERS[: _ALBERS.index(b"29 30")],
        b"Projection MOLLWEIDE\nDatum WGS84\nParameters\n1\n2\n3\n",
    ],
)
def test_what_makes_no_sense_tells_nothing(tmp_path: Path, content: bytes) -> None:
    """Also keywords of which GDAL would make WGS 84, because it does not know a datum or misses one."""
    assert told(content, tmp_path) == ""
