"""The decision table and the writer's options, walked row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uploader.convert.job import EFFORTS, BandStatistics, Job, RasterWarning, Report
from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts, RasterLimits, beyond
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.write import method_choice

pytestmark = pytest.mark.unit

_NONE = PixelStatistics(bands=(), distinct=None, counted=0)


def facts(*dtypes: str, interpretation: str = "gray", **changes: object) -> Facts:
    """A raster of 1000 x 800 pixels with these bands."""
    bands = tuple(
        BandFacts(number, dtype, (8, 1000), interpretation, ALL_VALID)
        for number, dtype in enumerate(dtypes, 1)
    )
    return Facts(driver="GTiff", width=1000, height=800, file_bytes=800_000, bands=bands, **changes)


def with_band(base: Facts, **changes: object) -> Facts:
    """The same with its first band changed."""
    return replace(base, bands=(replace(base.bands[0], **changes), *base.bands[1:]))


_PALETTE = with_band(facts("uint8"), colours=((0, (0, 0, 0, 255)),))


@pytest.mark.parametrize(
    ("raster", "distinct", "counted", "choice", "expected"),
    [
        (facts("uint8"), 5, 1000, "auto", True),
        (facts("uint8"), 5, 1000, "no", False),
        (facts("float32"), None, 1000, "yes", True),
        (facts("uint8"), 1, 1000, "auto", False),
        (facts("uint8"), None, 1000, "auto", False),
        (facts("uint8"), 20, 639, "auto", False),
        (facts("uint8"), 20, 640, "auto", True),
        (facts("uint8", "uint8"), 3, 1000, "auto", False),
        (facts("uint8", interpretation="red"), 3, 1000, "auto", False),
        (_PALETTE, None, 0, "auto", True),
        (facts("uint8", categories=True), None, 0, "auto", True),
    ],
)
def test_what_is_categorical(raster: Facts, distinct, counted: int, choice: str, expected: bool) -> None:
    """Palette, names or few integer classes make a raster categorical; a choice overrides all."""
    assert method_choice.is_categorical(raster, PixelStatistics((), distinct, counted), choice) is expected


def test_alpha_beside_classes_does_not_matter() -> None:
    """A class map with an alpha band has one data band."""
    raster = facts("uint8", "uint8")
    raster = replace(raster, bands=(raster.bands[0], replace(raster.bands[1], interpretation="alpha")))

    assert method_choice.is_categorical(raster, PixelStatistics((), 4, 1000), "auto")


@pytest.mark.parametrize(
    ("raster", "categorical", "expected"),
    [
        (facts("uint8"), False, "AVERAGE"),
        (facts("uint8"), True, "MODE"),
        (facts("int64"), False, "AVERAGE"),
        (facts("int64"), True, "NEAREST"),
        (facts("complex64"), False, "AVERAGE"),
        (facts("complex_int16"), True, "NEAREST"),
        (_PALETTE, False, "MODE"),
        (with_band(facts("uint8"), bits=1), False, "MODE"),
    ],
)
def test_overview_resampling(raster: Facts, categorical: bool, expected: str) -> None:
    """No overview invents a class, and none uses a method that the type lacks."""
    assert method_choice.resampling(raster, categorical=categorical) == expected


@pytest.mark.parametrize(
    ("raster", "compression", "categorical", "expected"),
    [
        (facts("uint8"), "deflate", False, {"PREDICTOR": "YES", "LEVEL": "1"}),
        (facts("uint8"), "deflate", True, {"PREDICTOR": "NO", "LEVEL": "6"}),
        (facts("complex64"), "deflate", False, {"PREDICTOR": "NO", "LEVEL": "1"}),
        (facts("float16"), "zstd", False, {"PREDICTOR": "STANDARD", "LEVEL": "3"}),
        (facts("float32"), "lzw", False, {"PREDICTOR": "YES", "LEVEL": None}),
        (facts("float32"), "lerc", False, {"COMPRESS": "LERC", "PREDICTOR": None, "LEVEL": None}),
        (facts("float16"), "lerc", False, {"COMPRESS": "DEFLATE", "PREDICTOR": "STANDARD", "LEVEL": "1"}),
        (with_band(facts("uint8"), bits=1), "lerc", True, {"COMPRESS": "DEFLATE", "PREDICTOR": "NO"}),
        (facts("int64"), "lerc_zstd", True, {"COMPRESS": "DEFLATE", "PREDICTOR": "NO", "LEVEL": "6"}),
    ],
)
def test_compression_options(raster: Facts, compression: str, categorical: bool, expected: dict) -> None:
    """Predictor and level fit the type and the kind."""
    options = method_choice.creation_options(
        raster, compression, categorical=categorical, gdal=(3, 12), threads=2
    )

    assert {key: options.get(key) for key in expected} == expected


@pytest.mark.parametrize("compression", ["deflate", "zstd"])
@pytest.mark.parametrize("categorical", [False, True])
def test_more_effort_is_a_higher_level(compression: str, *, categorical: bool) -> None:
    """Both where GDAL writes all, and where it writes the levels alone."""
    whole, alone = [], []
    for effort in EFFORTS:
        options = method_choice.creation_options(
            facts("uint8"), compression, categorical=categorical, gdal=(3, 12), threads=2, effort=effort
        )
        whole.append(int(options["LEVEL"]))
        options = method_choice.level_options(
            facts("uint8"), compression, categorical=categorical, effort=effort
        )
        alone.append(int(options.get("ZLEVEL") or options["ZSTD_LEVEL"]))

    assert whole == alone == sorted(whole)
    assert whole[0] < whole[-1]


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (1000, 800, 512),
        (512, 5000, 1024),
        (4096, 5000, 256),
        (5000, 512, 512),
        (1024, 1024, 512),
        (4096, 90000, 512),
    ],
)
def test_no_level_is_one_tile_wide(width: int, height: int, size: int) -> None:
    """512, unless a level above 512 would be exactly one tile wide, which validators take for untiled."""
    assert method_choice.block_size(width, height) == size


def test_many_bands_make_no_giant_tiles() -> None:
    """Hundreds of bands are kept apart where GDAL can do it, and in smaller tiles where it cannot."""
    raster = facts(*["uint16"] * 300)

    assert method_choice.tiling(raster, (3, 12)) == {"BLOCKSIZE": "512", "INTERLEAVE": "BAND"}
    assert method_choice.tiling(raster, (3, 10)) == {"BLOCKSIZE": "128"}


@pytest.mark.parametrize(
    ("bands", "gdal", "apart"), [(4, (3, 12), False), (5, (3, 12), True), (5, (3, 10), False)]
)
def test_tiles_of_many_bands_lie_beside_each_other(bands: int, gdal: tuple[int, int], apart: bool) -> None:
    """Where GDAL can: of fewer bands a reader wants all."""
    wanted = {"INTERLEAVE": "TILE"} if apart else {}

    assert method_choice.tiling(facts(*["uint16"] * bands), gdal) == {"BLOCKSIZE": "512"} | wanted


@pytest.mark.parametrize("count", [5, 300])
def test_samples_of_a_few_bits_lie_together(count: int) -> None:
    """GDAL 3.12 changes them where it lays bands apart: tiles are those of a GDAL that cannot."""
    bands = tuple(replace(band, bits=12) for band in facts(*["uint16"] * count).bands)

    raster = replace(facts("uint16"), bands=bands)

    assert method_choice.tiling(raster, (3, 12)) == method_choice.tiling(raster, (3, 10))
    assert "INTERLEAVE" not in method_choice.tiling(raster, (3, 12))


@pytest.mark.parametrize(
    ("passable", "exact", "valid", "shown", "expected"),
    [
        (True, True, True, True, "passthrough"),
        (False, True, True, True, "cog_driver"),
        (True, False, True, True, "cog_driver"),
        (True, True, False, True, "cog_driver"),
        (True, True, True, False, "cog_driver"),
    ],
)
def test_the_method_table(passable: bool, exact: bool, valid: bool, shown: bool, expected: str) -> None:
    """Only what lacks nothing is sent as it is."""
    assert method_choice.method(passable=passable, exact=exact, valid_cog=valid, shown=shown) == expected


@pytest.mark.parametrize(
    "changed",
    [
        facts("uint8", sidecars=("source.tfw",)),
        facts("uint8", pages=2),
        facts("uint8", domains={"OVERVIEWS": {"OVERVIEW_FILE": "/etc/shadow"}}),
        facts("uint8", attribute_table=True),
        with_band(facts("uint8"), domains={"FOO": {"a": "1"}}),
    ],
)
def test_what_is_never_passed_through(changed: Facts) -> None:
    """Anything beside the raster, or strange inside it, is not sent on."""
    assert method_choice.may_pass(facts("uint8", domains={"COLOR_PROFILE": {}}))
    assert not method_choice.may_pass(changed)


@pytest.mark.parametrize(
    ("raster", "words"),
    [
        (facts(), "no raster bands"),
        (replace(facts("uint8"), width=0, height=0), "no pixels"),
        (facts(*["uint8"] * 11), "11 bands"),
        (replace(facts("uint8"), width=10**6, height=10**6), "1000000 x 1000000"),
        (facts("bfloat"), "bfloat"),
        (with_band(facts("uint8"), block=(40000, 40000)), "strips or tiles"),
        (replace(facts("float64"), width=10**5, height=10**5, file_bytes=1000), "in a file of 1000"),
    ],
)
def test_limits_are_said_in_words(raster: Facts, words: str) -> None:
    """Each limit has its own sentence, with the numbers in it."""
    bounds = RasterLimits(max_pixels=10**10, max_bands=10, memory_limit=4 << 30)

    assert beyond(facts("uint8"), bounds) == ""
    assert words in beyond(raster, bounds)


def test_disk_is_judged_by_what_is_declared() -> None:
    """An uncompressed raster needs 1.7 times its pixels; a small lossy file never more than that."""
    plain = replace(facts("uint8"), width=10_000, height=10_000, file_bytes=100_000_000)
    lossy = replace(plain, compression="JPEG", file_bytes=50_000_000)

    assert method_choice.disk_needed(plain, "deflate") == pytest.approx(1.7e8, rel=0.02)
    assert method_choice.disk_needed(lossy, "deflate") == method_choice.disk_needed(plain, "deflate")


def test_report_survives_the_pipe() -> None:
    """What a child reports is what the parent gets; nonsense is refused."""
    report = Report(
        "cog_driver",
        categorical=True,
        warnings=(RasterWarning("imd_lost", "Lost."),),
        bands=(BandStatistics(1, 2.5, 1.5, 0.5, 99.0), BandStatistics(None, None, None, None, 0.0)),
    )

    assert Report.from_json(report.to_json()) == report
    for broken in ({"method": "magic"}, {"bands": [{}]}, {"bands": [{"min": "x"}]}, {"warnings": [1]}):
        with pytest.raises((ValueError, TypeError, KeyError)):
            Report.from_json(report.to_json() | broken)


def test_unknown_words_are_refused_at_once(tmp_path) -> None:
    """A job with a compression, choice or verification that does not exist is an error of the caller."""
    for wrong in ({"compression": "jpeg"}, {"categorical": "maybe"}, {"verify": "perhaps"}):
        with pytest.raises(ValueError, match="is one of"):
            Job(tmp_path / "a", tmp_path / "b", **wrong)
    assert Job.from_json(Job(tmp_path / "a", tmp_path / "b").to_json()) == Job(tmp_path / "a", tmp_path / "b")
