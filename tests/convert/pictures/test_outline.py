"""Where rasters lie: as PROJ has it, whatever their system, their orientation, and where on the Earth they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyproj
import pytest
import shapely
import shapely.geometry
from rasterio.crs import CRS

from uploader.convert.pictures.outline import footprint
from uploader.convert.quicklook import FootprintOrigin
from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts
from uploader.core.footprint_shapes import geometry
from uploader.core.footprints import DEGREE, OffEarth, ring_of

pytestmark = pytest.mark.unit

WIDTH, HEIGHT = 300, 200


def facts(system: str | int, *numbers: float) -> Facts:
    """A raster with GDAL's six numbers in this system."""
    band = BandFacts(1, "uint8", (512, 512), "gray", ALL_VALID)
    wkt = CRS.from_user_input(system).to_wkt() if system else ""
    return Facts("GTiff", WIDTH, HEIGHT, 1, (band,), crs=wkt, transform=numbers or None)


def by_pyproj(system: str | int, numbers: tuple[float, ...], steps: int = 200) -> np.ndarray:
    """The outline in longitude and latitude, longitudes running on, sampled otherwise than by the program."""
    x, across, skew, y, turn, down = numbers
    share = np.arange(steps) / steps
    columns = np.concatenate([0 * share, share, 0 * share + 1, 1 - share]) * WIDTH
    rows = np.concatenate([share, 0 * share + 1, 1 - share, 0 * share]) * HEIGHT
    way = pyproj.Transformer.from_crs(system, 4326, always_xy=True)
    lons, lats = way.transform(
        x + columns * across + rows * skew, y + columns * turn + rows * down, errcheck=True
    )
    return np.column_stack([np.degrees(np.unwrap(np.radians(lons))), lats])


@pytest.mark.parametrize(
    ("system", "numbers"),
    [
        (4326, (9.5, 0.001, 0.0, 48.2, 0.0, -0.001)),
        (4326, (9.5, 0.001, 0.0, 48.0, 0.0, 0.001)),
        (32632, (500_000.0, 10.0, 0.0, 5_900_000.0, 0.0, -10.0)),
        (32632, (500_000.0, 300.0, 90.0, 5_900_000.0, 120.0, -280.0)),
        (32632, (500_000.0, -10.0, 0.0, 5_900_000.0, 0.0, 10.0)),
        (3857, (-8_000_000.0, 5000.0, 0.0, 6_000_000.0, 0.0, -5000.0)),
        (3035, (2_000_000.0, 10_000.0, 0.0, 5_000_000.0, 0.0, -10_000.0)),
        (2193, (1_500_000.0, 100.0, 0.0, 5_500_000.0, 0.0, -100.0)),
        (32601, (300_000.0, 500.0, 0.0, 5_950_000.0, 0.0, -500.0)),
        (32760, (690_000.0, 500.0, 0.0, 5_950_000.0, 0.0, -500.0)),
        ("EPSG:32661", (2_500_000.0, 100.0, 0.0, 1_500_000.0, 0.0, -100.0)),
    ],
)
def test_it_is_where_proj_says(system: str | int, numbers: tuple[float, ...]) -> None:
    """Its corners to the last digit that is kept, its edges within two thousandths; also over the antimeridian."""
    expected = by_pyproj(system, numbers)

    ring, origin = footprint(facts(system, *numbers))

    found = np.array(ring) / DEGREE
    assert origin is FootprintOrigin.TRANSFORM
    shift = 360.0 * np.round((expected[:, 0].mean() - found[:, 0].mean()) / 360.0)
    whole, ours = shapely.Polygon(expected), shapely.Polygon(found + np.array([shift, 0.0]))
    assert ours.symmetric_difference(whole).area < 2e-3 * whole.area
    for corner in expected[::200]:
        assert np.abs(found + np.array([shift, 0.0]) - corner).max(axis=1).min() < 2 / DEGREE
    assert shapely.geometry.shape(geometry([ring])).is_valid


@pytest.mark.parametrize(("system", "pole"), [(3413, 90.0), (3031, -90.0)])
@pytest.mark.parametrize("numbers", [(-1e6, 6e3, 0.0, 1e6, 0.0, -8e3), (-1e6, 6e3, 0.0, -1e6, 0.0, 8e3)])
def test_a_raster_around_a_pole_holds_it(system: int, pole: float, numbers: tuple[float, ...]) -> None:
    """Also one whose rows run from south to north, whose outline goes the other way round."""
    ring, _ = footprint(facts(system, *numbers))

    shape = shapely.geometry.shape(geometry([ring]))
    assert shape.is_valid
    assert {lon / DEGREE for lon, lat in ring if lat / DEGREE == pole} == {-180.0, 180.0}
    way = pyproj.Transformer.from_crs(system, 4326, always_xy=True)
    x, across, _, y, _, down = numbers
    for column, row, inside in ((150, 30, True), (30, 150, True), (-20, 100, False), (150, 230, False)):
        place = way.transform(x + column * across, y + row * down)
        assert shape.contains(shapely.Point(place)) == inside


def test_a_quarter_that_meets_the_pole_is_a_quarter() -> None:
    """As the tiles of polar mosaics do."""
    ring, _ = footprint(facts(3413, 0.0, 3e3, 0.0, 6e5, 0.0, -3e3))

    assert {lon / DEGREE for lon, lat in ring if lat == 90 * DEGREE} == {45.0, 135.0}


def test_the_whole_earth_is_a_box() -> None:
    """Also where longitudes go from 0 to 360, and pixels lie around the points of a grid."""
    world = {(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)}
    for numbers in ((-180.0, 1.2, 0.0, 90.0, 0.0, -0.9), (-0.6, 1.204, 0.0, 90.45, 0.0, -0.9045)):
        ring, _ = footprint(facts(4326, *numbers))
        assert {(lon / DEGREE, lat / DEGREE) for lon, lat in ring} == world


@pytest.mark.parametrize(
    ("raster", "origin"),
    [
        (facts("", 1.0, 1.0, 0.0, 1.0, 0.0, -1.0), FootprintOrigin.NO_CRS),
        (facts(""), FootprintOrigin.NO_CRS),
        (facts(4326), FootprintOrigin.NO_PLACE),
        (replace(facts(""), rpcs=(("LINE_OFF", "1"),)), FootprintOrigin.RPCS),
    ],
)
def test_what_lies_nowhere_has_none(raster: Facts, origin: FootprintOrigin) -> None:
    """And it is said why."""
    assert footprint(raster) == ((), origin)


@pytest.mark.parametrize(
    ("system", "numbers"),
    [
        (4326, (500_000.0, 10.0, 0.0, 5_900_000.0, 0.0, -10.0)),
        ("+proj=geos +h=35785831 +lon_0=0 +sweep=y", (-5.6e6, 37_000.0, 0.0, 5.6e6, 0.0, -56_000.0)),
        ("+proj=moll", (-1.8e7, 120_000.0, 0.0, 9e6, 0.0, -90_000.0)),
    ],
    ids=["metres as degrees", "full disk", "mollweide"],
)
def test_an_outline_off_the_earth_is_none(system: str | int, numbers: tuple[float, ...]) -> None:
    """A part of it would be made up."""
    with pytest.raises(OffEarth):
        footprint(facts(system, *numbers))


def test_control_points_place_a_raster_too() -> None:
    """By the polynomial that GDAL fits to them."""
    points = tuple(
        (float(row), float(column), 13.0 + column / 1e3 + row / 1e4, 47.0 - row / 1e3, 300.0)
        for row in (0, HEIGHT)
        for column in (0, WIDTH)
    )
    placed = replace(facts(""), gcps=points, gcp_crs=CRS.from_epsg(4326).to_wkt())

    ring, origin = footprint(placed)

    assert origin is FootprintOrigin.GCPS
    expected = ring_of([(13.0, 47.0), (13.02, 46.8), (13.32, 46.8), (13.3, 47.0)])
    assert np.abs(np.array(sorted(ring)) - np.array(sorted(expected))).max() <= 2
