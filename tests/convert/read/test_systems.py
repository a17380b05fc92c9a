"""Two spellings of one system are equal, two systems are not; placeholders are none."""

from __future__ import annotations

import re

import pytest
from rasterio.crs import CRS

from uploader.convert.read import reference_systems

pytestmark = pytest.mark.unit

_CODE = re.compile(r',(?:AUTHORITY|ID)\["\w+","?\w+"?\]')
_ESRI_WGS = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]]'
)
_ENGINEERING = 'ENGCRS["{}",EDATUM[""],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
_GOODE = f'PROJCS["World_Goode",{_ESRI_WGS},PROJECTION["Interrupted_Goode_Homolosine"],UNIT["Meter",1.0]]'


def wkt(text: str) -> str:
    """WKT of a code or a PROJ string."""
    return CRS.from_user_input(text).to_wkt()


def esri(text: str) -> str:
    """A text of ESRI's as GDAL reads it."""
    return CRS.from_wkt(text, morph_from_esri_dialect=True).to_wkt()


@pytest.mark.parametrize(
    "code",
    [
        *("EPSG:4326", "EPSG:25832", "EPSG:3035", "EPSG:2263", "EPSG:3031", "EPSG:27700", "EPSG:2154"),
        *("EPSG:5514", "ESRI:54030", "EPSG:31467", "EPSG:26910+6360", "EPSG:4326+5773", "EPSG:3857"),
    ],
)
def test_spellings_of_one_system_are_equal(code: str) -> None:
    """As ESRI has it, without codes, and as WKT2."""
    crs = CRS.from_user_input(code)
    for text in (
        esri(crs.to_wkt(version="WKT1_ESRI")),
        _CODE.sub("", crs.to_wkt()),
        crs.to_wkt(version="WKT2_2019"),
    ):
        assert reference_systems.same(crs.to_wkt(), text), text


def test_parameters_that_are_missing_are_zero() -> None:
    """An ESRI string of the interrupted Goode homolosine has none; GDAL spells all of them out."""
    assert reference_systems.same(esri(_GOODE), wkt("+proj=igh +datum=WGS84"))
    assert not reference_systems.same(esri(_GOODE), wkt("+proj=igh +lon_0=10 +datum=WGS84"))
    assert not reference_systems.same(esri(_GOODE), wkt("+proj=goode +datum=WGS84"))


def test_standard_parallels_have_no_order() -> None:
    """A cone cuts the ellipsoid at two latitudes, whichever is told first."""
    conic = "+proj=lcc +lat_1={} +lat_2={} +lat_0=41 +lon_0=-71.5 +datum=NAD83"

    assert reference_systems.same(wkt(conic.format(42, 43)), wkt(conic.format(43, 42)))
    assert not reference_systems.same(wkt(conic.format(42, 43)), wkt(conic.format(42, 44)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("EPSG:25832", "EPSG:32632"),  # of two datums, whose ellipsoids differ by a tenth of a millimetre
        ("EPSG:25832", "EPSG:25833"),
        ("EPSG:4326", "EPSG:4258"),
        ("EPSG:2263", "EPSG:32118"),  # feet and metres
        ("EPSG:25832", "EPSG:25832+7837"),
        ("EPSG:25832+7837", "EPSG:25832+5783"),
        ("EPSG:26910+6360", "EPSG:26910+5703"),  # the same datum, feet and metres
        ("EPSG:3857", "EPSG:3395"),
        ("EPSG:5513", "EPSG:5514"),  # axes that point the other way
        ("+proj=tmerc +lon_0=9 +ellps=bessel", "+proj=tmerc +lon_0=9 +ellps=GRS80"),
        ("+proj=tmerc +lon_0=9 +ellps=bessel", "+proj=tmerc +lon_0=9 +ellps=bessel +towgs84=598,73,418"),
        ("+proj=longlat +ellps=bessel +pm=ferro", "+proj=longlat +ellps=bessel"),
    ],
)
def test_systems_that_differ_are_not_equal(one: str, other: str) -> None:
    """In datum, zone, unit, heights, method, direction, ellipsoid, shift or prime meridian."""
    assert not reference_systems.same(wkt(one), wkt(other))


@pytest.mark.parametrize(
    ("text", "none"),
    [
        ('LOCAL_CS["unnamed",UNIT["unknown",1]]', True),
        ('LOCAL_CS["unnamed",UNIT["metre",1]]', True),
        ('LOCAL_CS["Unknown",UNIT["Meter",1]]', True),
        ('LOCAL_CS["Geocoding information not available Projection Name = Unknown",UNIT["unknown",1]]', True),
        (_ENGINEERING.format("unknown"), True),
        (_ENGINEERING.format("Grid of pit 7"), False),
        ('LOCAL_CS["Undefined Cartesian SRS",UNIT["metre",1]]', True),
        ('LOCAL_CS["Grid of pit 7",UNIT["metre",1]]', False),
        ("", False),
        ('PROJCS["unnamed"' + wkt("EPSG:25832")[len('PROJCS["ETRS89 / UTM zone 32N"'):], False),
    ],
)  # fmt: skip
def test_placeholders_are_no_systems(text: str, none: bool) -> None:
    """A local system without a name says nothing; one with a name does, and so does a projected one without."""
    assert reference_systems.is_placeholder(text) is none


def test_the_unit_of_heights() -> None:
    """It is told by the vertical part of a compound system, and by nothing else."""
    assert reference_systems.height_unit(wkt("EPSG:25832+7837")) == "metre"
    assert reference_systems.height_unit(wkt("EPSG:26910+6360")) == "US survey foot"
    assert reference_systems.height_unit(wkt("EPSG:25832")) == reference_systems.height_unit("") == ""


def test_a_compound_is_written_with_codes() -> None:
    """A vertical system has a code in a GeoTIFF, or GDAL reads it back as another one."""
    bare = esri(CRS.from_user_input("EPSG:26910+6360").to_wkt(version="WKT1_ESRI"))
    assert '"6360"' not in bare

    assert '"6360"' in reference_systems.writable(bare)
    assert reference_systems.same(bare, reference_systems.writable(bare))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (_CODE.sub("", wkt("EPSG:25832+7837")).replace("Deutsches Haupthoehennetz 2016", "Quarry"), "EPSG:25832"),
        (_CODE.sub("", wkt("EPSG:25832+7837")).replace('"metre",1],AXIS["Gr', '"foot",0.3048],AXIS["Gr'), "EPSG:25832"),
        (wkt("+proj=utm +zone=32 +datum=WGS84 +vunits=us-ft"), "EPSG:32632"),
        (wkt("EPSG:25832"), "EPSG:25832"),
        (wkt("EPSG:4979"), "EPSG:4979"),
    ],
)  # fmt: skip
def test_a_place_outlives_its_heights(text: str, left: str) -> None:
    """Heights that GeoTIFF cannot hold go alone, and that is a loss to be named; others stay."""
    kept = reference_systems.writable(text)

    assert reference_systems.same(kept, wkt(left))
    assert reference_systems.same(text, kept) or reference_systems.named_alike(text, kept, ())


def test_heights_alone_leave_nothing() -> None:
    """A GeoTIFF has no place for a vertical system without a horizontal one."""
    assert reference_systems.writable(wkt("EPSG:5773")) == ""
    assert reference_systems.named_alike(wkt("EPSG:5773"), "", ())
    assert not reference_systems.named_alike(wkt("EPSG:25832"), "", ())
    assert not reference_systems.named_alike(wkt("EPSG:25832+7837"), wkt("EPSG:25833"), ())
