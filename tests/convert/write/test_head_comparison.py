"""The two heads compared tag by tag: every rule of the table, and rasters whose meaning GDAL's view hides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import tifffile

from tests.support import compare
from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job, Report
from uploader.convert.tiff import ifd, tag_table
from uploader.convert.tiff.tag_table import TagRule
from uploader.convert.write import head_comparison
from uploader.core.errors import RasterRefused

_NOISE = np.random.default_rng(7)
_SIDE = 700
_MADE = ifd.Tiff("<", big=False, directories=())
_BASE = {
    256: _MADE.entry(ifd.SHORT, [_SIDE]),
    257: _MADE.entry(ifd.SHORT, [_SIDE]),
    258: _MADE.entry(ifd.SHORT, [8, 8, 8, 8]),
    259: _MADE.entry(ifd.SHORT, [8]),
    262: _MADE.entry(ifd.SHORT, [2]),
    277: _MADE.entry(ifd.SHORT, [4]),
    322: _MADE.entry(ifd.SHORT, [512]),
    323: _MADE.entry(ifd.SHORT, [512]),
    338: _MADE.entry(ifd.SHORT, [1]),
}
_LEVEL = _BASE | {254: _MADE.entry(ifd.LONG, [1])}


def head(*directories: ifd.Entries, order: str = "<") -> ifd.Tiff:
    """A head with these directories."""
    return ifd.Tiff(order, big=False, directories=tuple(ifd.Directory(each) for each in directories))


def text(value: bytes) -> ifd.Entry:
    """An entry of ASCII."""
    return ifd.Entry(ifd.ASCII, len(value) + 1, value + b"\0")


# --- the table -------------------------------------------------------------------------------------------------------

_BREAKING = [
    tag for tag, rule in tag_table.RULES.items() if rule in (TagRule.LEVELS, TagRule.EQUAL, TagRule.KEPT)
]


@pytest.mark.unit
@pytest.mark.parametrize("tag", _BREAKING)
def test_a_tag_that_changes_what_samples_mean_breaks(tag: int) -> None:
    """Whatever the result says otherwise of such a tag is found, and is no mere loss."""
    source = head(_BASE | {tag: _MADE.entry(ifd.SHORT, [7])})
    result = head(_BASE | {tag: _MADE.entry(ifd.SHORT, [9])}, _LEVEL | {tag: _MADE.entry(ifd.SHORT, [9])})

    found = head_comparison.compare(source, result)

    assert f"the {tag_table.title(tag)}" in found.broken


@pytest.mark.unit
@pytest.mark.parametrize("tag", [tag for tag, rule in tag_table.RULES.items() if rule is TagRule.LEVELS])
def test_levels_say_the_same_as_the_raster(tag: int) -> None:
    """A level of another kind is found although the raster itself is right."""
    entry = _MADE.entry(ifd.SHORT, [3, 3, 3, 3])
    source = head(_BASE)

    found = head_comparison.compare(source, head(_BASE, _LEVEL | {tag: entry}))

    assert f"the {tag_table.title(tag)}" in found.broken
    assert head_comparison.unsound(head(_BASE, _LEVEL | {tag: entry})) != ""


@pytest.mark.unit
@pytest.mark.parametrize("tag", [tag for tag, rule in tag_table.RULES.items() if rule is TagRule.FREE])
def test_how_samples_are_stored_may_differ(tag: int) -> None:
    """Strips may become tiles, and the like."""
    assert head_comparison.compare(head(_BASE | {tag: _MADE.entry(ifd.SHORT, [7])}), head(_BASE)).broken == ()
    assert head_comparison.compare(head(_BASE | {tag: _MADE.entry(ifd.SHORT, [7])}), head(_BASE)).lost == ()


@pytest.mark.unit
@pytest.mark.parametrize(
    ("tag", "code"),
    [(271, "tag_lost"), (65000, "tag_lost"), (700, "xmp_lost"), (34675, "icc_lost"), (529, "tag_lost")],
)
def test_any_other_tag_is_named_where_it_is_missing(tag: int, code: str) -> None:
    """A text, a private tag, a profile: its loss has a code and the number of the tag."""
    (warning,) = head_comparison.compare(head(_BASE | {tag: text(b"said")}), head(_BASE)).lost

    assert warning.code == code
    assert str(tag) in warning.text


@pytest.mark.unit
def test_items_of_gdals_text_that_are_missing_are_named() -> None:
    """Those that the result still has are not."""
    items = b'<GDALMetadata><Item name="AREA_OR_POINT">Point</Item><Item name="K">v</Item></GDALMetadata>'
    kept = b'<GDALMetadata><Item name="K">v</Item></GDALMetadata>'
    source, result = (head(_BASE | {ifd.GDAL_METADATA: text(said)}) for said in (items, kept))

    (warning,) = head_comparison.compare(source, result).lost

    assert warning.code == "tag_lost"
    assert "AREA_OR_POINT of GDAL's metadata (tag 42112)" in warning.text
    assert head_comparison.compare(result, result).lost == ()


@pytest.mark.unit
def test_defaults_and_spellings_are_no_differences() -> None:
    """What a tag says by default, one value for all samples, byte order and width of integers do not matter."""
    big = ifd.Tiff(">", big=False, directories=())
    source = head({tag: ifd.turned(entry, "<", ">") for tag, entry in _BASE.items()}, order=">")
    source = replace(
        source,
        directories=(
            ifd.Directory(
                dict(source.directories[0].entries)
                | {
                    258: big.entry(ifd.LONG, [8]),
                    339: big.entry(ifd.SHORT, [1]),
                    274: big.entry(ifd.SHORT, [1]),
                }
            ),
        ),
    )

    found = head_comparison.compare(source, head(_BASE, _LEVEL))

    assert (found.broken, found.lost) == ((), ())


@pytest.mark.unit
def test_tags_that_cannot_be_read_are_named() -> None:
    """An entry whose value lies beyond the end of the file is passed over by GDAL, and named here."""
    source = ifd.Tiff("<", big=False, directories=(ifd.Directory(_BASE, unread=frozenset({305})),))

    (warning,) = head_comparison.compare(source, head(_BASE)).lost

    assert "software (tag 305)" in warning.text


# --- rasters ---------------------------------------------------------------------------------------------------------


async def converted(source: Path, **options) -> tuple[Report, ifd.Tiff]:
    """The report and the head of the result; pixels and facts are compared on the way."""
    target = source.parent.parent / f"{source.parent.name}.out.tif"
    report = await convert(Job(source, target, **options))
    assert compare.differences(source, target) == []
    found = ifd.of(target, ifd.read)
    assert found is not None
    return report, found


def numbers(found: ifd.Tiff, tag: int) -> list[list[int]]:
    """What each directory of a head says, masks aside."""
    levels = [each for each in found.directories if not found.number(each, ifd.SUBFILE) & ifd.MASK]
    return [found.numbers(each, tag).tolist() for each in levels]


def made(folder: Path, pixels: np.ndarray, **options) -> Path:
    """A raster by GDAL: `pixels` are (bands, rows, columns)."""
    folder.mkdir(exist_ok=True)
    path = folder / "a.tif"
    bands, height, width = pixels.shape
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(1, 0, 5e5, 0, -1, 5e6)}
    profile = {"driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": pixels.dtype}
    with rasterio.open(path, "w", **(profile | place | options)) as dataset:
        dataset.write(pixels)
    return path


def bytes_of(bands: int, side: int = _SIDE) -> np.ndarray:
    """Noise of so many bands."""
    return _NOISE.integers(0, 255, (bands, side, side)).astype("u1")


@pytest.mark.parametrize(
    ("bands", "options", "photometric", "extra"),
    [
        (4, {"photometric": "RGB", "ALPHA": "PREMULTIPLIED"}, 2, [1]),
        (2, {"photometric": "MINISBLACK", "ALPHA": "PREMULTIPLIED"}, 1, [1]),
        (4, {"photometric": "RGB", "ALPHA": "UNSPECIFIED"}, 2, [0]),
        (4, {"photometric": "MINISBLACK"}, 1, [0, 0, 0]),
        (3, {"photometric": "MINISBLACK"}, 1, [0, 0]),
        (5, {"photometric": "RGB"}, 2, [0, 0]),
        (1, {"photometric": "MINISWHITE"}, 0, []),
        (3, {"photometric": "CIELAB", "dtype": "uint16"}, 8, []),
        (4, {"photometric": "CMYK", "dtype": "uint16"}, 5, []),
    ],
)
async def test_samples_mean_what_they_meant(
    tmp_path: Path, bands: int, options: dict, photometric: int, extra: list[int]
) -> None:
    """Photometric interpretation and the kind of extra samples are the source's on every level, without a word."""
    pixels = bytes_of(bands).astype(options.pop("dtype", "u1"))

    report, found = await converted(made(tmp_path / "in", pixels, **options))

    assert losses(report) == []
    assert numbers(found, ifd.PHOTOMETRIC) == [[photometric]] * len(numbers(found, ifd.PHOTOMETRIC))
    assert numbers(found, ifd.EXTRA_SAMPLES) == [extra] * len(numbers(found, ifd.EXTRA_SAMPLES))
    assert len(numbers(found, 256)) > 1


async def test_bands_that_are_no_colours_stay_none(tmp_path: Path) -> None:
    """What is no TIFF says by the names of its bands what its samples are: three of ENVI are no colours."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "a.dat"
    with rasterio.open(path, "w", driver="ENVI", width=90, height=80, count=3, dtype="uint8") as dataset:
        dataset.write(bytes_of(3)[:, :80, :90])

    await convert(Job(path, tmp_path / "out.tif"))

    found = ifd.of(tmp_path / "out.tif", ifd.read)
    assert found is not None
    assert (numbers(found, ifd.PHOTOMETRIC), numbers(found, ifd.EXTRA_SAMPLES)) == ([[1]], [[0, 0]])


def written(folder: Path, pixels: np.ndarray, *extra: tuple, **options) -> Path:
    """A raster by tifffile, with further tags: (code, type, count, value, only the first page)."""
    folder.mkdir(exist_ok=True)
    path = folder / "a.tif"
    tifffile.imwrite(path, pixels, extratags=extra, metadata=None, **options)
    return path


@pytest.mark.parametrize(
    "extra",
    [
        (274, "H", 1, 6, True),
        (274, "H", 1, 3, True),
        (290, "H", 1, 3, True),
        (291, "H", 256, tuple(range(256)), True),
        (301, "H", 256, tuple(range(0, 65536, 256)), True),
        (318, "2I", 2, (3127, 10000, 3290, 10000), True),
        (271, "s", 0, "a maker", True),
        (33432, "s", 0, "somebody", True),
        (285, "s", 0, "page", True),
        (297, "H", 2, (3, 7), True),
        (65000, "B", 5, b"abcde", True),
        (65001, "d", 3, (1.5, 2.5, -3.5), True),
        (34675, "B", 6, b"icc\0\1\2", True),
    ],
    ids=lambda extra: str(extra[0]),
)
async def test_tags_travel_as_they_are(tmp_path: Path, extra: tuple) -> None:
    """Orientation, curves, texts and private tags stand in the result's head, and nothing is warned of."""
    source = written(tmp_path / "in", bytes_of(1)[0], extra, photometric="minisblack")

    report, found = await converted(source)

    before = ifd.of(source, ifd.first)
    assert before is not None
    assert head_comparison.meaning(before, before.directories[0], extra[0]) == head_comparison.meaning(
        found, found.directories[0], extra[0]
    )
    assert losses(report) == []


async def test_colours_keep_their_sixteen_bits(tmp_path: Path) -> None:
    """A colour map travels as it is, on all levels: GDAL's view of it has eight bits a colour."""
    colours = _NOISE.integers(0, 65536, (3, 256)).astype("u2")
    source = written(tmp_path / "in", bytes_of(1)[0], photometric="palette", colormap=colours)

    _, found = await converted(source)

    assert numbers(found, ifd.COLOUR_MAP) == [colours.ravel().tolist()] * len(numbers(found, ifd.COLOUR_MAP))


async def test_offsets_do_not_travel(tmp_path: Path) -> None:
    """Sub-directories are named, for their offsets would lead somewhere else in the result."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(bytes_of(1)[0], subifds=1, photometric="minisblack", metadata=None)
        file.write(bytes_of(1)[0][::2, ::2], photometric="minisblack", metadata=None)

    report, found = await converted(path)

    assert losses(report) == ["tag_lost"]
    assert "sub-directories (tag 330)" in report.warnings[0].text
    assert all(ifd.SUB_IFDS not in each.entries for each in found.directories)


@pytest.mark.parametrize(
    ("photometric", "options", "said"),
    [
        ("separated", {}, "CMYK"),
        ("separated", {"planarconfig": "separate"}, "CMYK"),
        ("cielab", {}, "CIELab"),
    ],
)
async def test_colours_that_gdal_decodes_are_refused(
    tmp_path: Path, photometric: str, options: dict, said: str
) -> None:
    """Eight bits of CMYK or CIELab are read as RGB: the file is refused with a way out, not turned into it."""
    pixels = bytes_of(4 if said == "CMYK" else 3)
    planar = "planarconfig" in options
    source = written(
        tmp_path / "in", pixels if planar else np.moveaxis(pixels, 0, -1), photometric=photometric, **options
    )

    with pytest.raises(RasterRefused, match=said) as refused:
        await convert(Job(source, tmp_path / "out.tif"))

    assert "tiff2rgba" in refused.value.way_out


@pytest.mark.parametrize("dtype", ["u1", "u2"])
async def test_six_inks_stay_six_inks(tmp_path: Path, dtype: str) -> None:
    """How many inks there are stands on every level, for which samples are extra follows from it."""
    inks = [(332, "H", 1, 2, True), (334, "H", 1, 6, True)]
    pixels = np.moveaxis(bytes_of(6), 0, -1).astype(dtype)

    report, found = await converted(written(tmp_path / "in", pixels, *inks, photometric="separated"))

    assert losses(report) == []
    assert numbers(found, 334) == [[6]] * len(numbers(found, 334))


async def test_a_colour_filter_array_stays_one(tmp_path: Path) -> None:
    """Raw samples of a camera keep their photometric interpretation and the pattern of the filter."""
    pattern = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes((0, 1, 1, 2)), True)]
    source = written(tmp_path / "in", bytes_of(1)[0].astype("u2"), *pattern, photometric="cfa")

    report, found = await converted(source)

    assert losses(report) == []
    assert numbers(found, ifd.PHOTOMETRIC)[0] == [32803]
    assert found.directories[0].entries[33422].data == bytes((0, 1, 1, 2))


@pytest.mark.parametrize("value", [128, 1])
async def test_a_mask_between_yes_and_no_is_refused(tmp_path: Path, value: int) -> None:
    """A COG's mask has a bit for each pixel: other values than 0 and 255 are not rounded."""
    source = made(tmp_path / "in", bytes_of(3, 90))
    mask = np.full((1, 90, 90), 255, "u1")
    mask[0, 10:20] = value
    with rasterio.open(
        source.with_name("a.tif.msk"), "w", driver="GTiff", width=90, height=90, count=1, dtype="uint8"
    ) as dataset:
        dataset.write(mask)
        dataset.update_tags(INTERNAL_MASK_FLAGS_1=2)

    with pytest.raises(RasterRefused, match=str(value)):
        await convert(Job(source, tmp_path / "out.tif"))


async def test_names_beside_a_raster_do_not_change_its_head(tmp_path: Path) -> None:
    """An alpha that only a `.aux.xml` declares is one for GDAL, and unspecified in the head as it was."""
    source = made(tmp_path / "in", bytes_of(4), photometric="RGB", ALPHA="UNSPECIFIED")
    source.with_name("a.tif.aux.xml").write_text(
        "<PAMDataset>"
        + "".join(
            f'<PAMRasterBand band="{n}"><ColorInterp>{name}</ColorInterp></PAMRasterBand>'
            for n, name in enumerate(("Blue", "Green", "Red"), 1)
        )
        + "</PAMDataset>"
    )

    report, found = await converted(source)

    assert losses(report) == []
    assert numbers(found, ifd.EXTRA_SAMPLES)[0] == [0]


async def test_place_and_offsets_leave_the_levels_of_moved_tiles(tmp_path: Path) -> None:
    """Where tiles are moved, a place that somebody wrote on a level goes; nodata stands on all of them."""
    source = made(
        tmp_path / "in",
        bytes_of(1, 1100),
        tiled=True,
        blockxsize=256,
        blockysize=256,
        compress="deflate",
        nodata=7,
    )
    with rasterio.open(source, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    _write_place_on_levels(source)

    report, found = await converted(source)

    assert report.method == "rewrite"
    assert all(33550 not in each.entries for each in found.directories[1:])
    assert len({each.entries[ifd.NODATA].data for each in found.directories}) == 1


def _write_place_on_levels(path: Path) -> None:
    """Give the levels the raster's place, in a head at the end of the file, which is where libtiff puts a new one."""
    before = ifd.of(path, ifd.read)
    assert before is not None
    first, *others = before.directories
    place = {tag: entry for tag, entry in first.entries.items() if tag in tag_table.PLACES}
    levels = tuple(replace(each, entries=dict(each.entries) | place) for each in others)
    content = path.read_bytes()
    start = len(content) + len(content) % 2
    padded = replace(before, ghost=b"\0" * (start - 8), directories=(first, *levels))
    head_ = ifd.head(padded)
    path.write_bytes(head_[:8] + content[8:].ljust(start - 8, b"\0") + head_[start:])
