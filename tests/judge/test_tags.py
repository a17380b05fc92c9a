"""The judge finds a planted change of each tag of the table, and lets pass what the contract leaves free."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.judge import heads, tags
from tests.judge.findings import Finding
from tests.judge.table import RULES, Rule
from tests.support.tiffwriter import (
    ASCII,
    LONG,
    SHORT,
    Entry,
    Picture,
    blob,
    doubles,
    longs,
    ratios,
    shorts,
    text,
    write,
)

pytestmark = pytest.mark.unit

_PIXELS = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
_ITEMS = b'<GDALMetadata><Item name="A">%d</Item></GDALMetadata>'
_EXIF, _GPS = 34665, 34853

_VALUES: dict[int, tuple[Entry, Entry]] = {
    **{code: (text(b"some"), text(b"other")) for code in (269, 270, 271, 272, 305, 306, 315, 316, 33432, 333)},
    **{code: (ratios(300, 1), ratios(72, 1)) for code in (282, 283, 318, 319)},
    **{code: (blob(b"a block of bytes"), blob(b"a block of BYTES")) for code in (700, 33723, 34377, 34675)},
    **{code: (shorts(1), shorts(2)) for code in (262, 274, 290, 296, 332)},
    291: (shorts(*range(256)), shorts(*range(1, 257))),
    301: (shorts(*range(256)), shorts(*range(1, 257))),
    320: (shorts(*range(768)), shorts(*range(1, 769))),
    334: (shorts(4), shorts(3)),
    336: (shorts(0, 255), shorts(16, 235)),
    338: (shorts(1, 0), shorts(2, 0)),
    258: (shorts(8, 8, 8), shorts(16, 16, 16)),
    277: (shorts(3), shorts(4)),
    339: (shorts(1, 1, 1), shorts(2, 2, 2)),
    256: (longs(64), longs(65)),
    257: (longs(64), longs(65)),
    42112: (text(_ITEMS % 1), text(_ITEMS % 2)),
    42113: (text(b"-9999"), text(b"-9998")),
    50844: (doubles(*range(92)), doubles(*range(91), 5)),
    40000: (text(b"ours"), text(b"theirs")),
    297: (shorts(1, 2), shorts(1, 3)),
}  # fmt: skip
"""Two values of each tag that says something."""

_DEFAULTED = {256, 257, 258, 262, 274, 277, 332, 334, 336, 338, 339}
_LEVELS = {code for code, rule in RULES.items() if rule == Rule.LEVELS}


def _found(folder: Path, before: dict[int, Entry | None], *after: dict[int, Entry | None]) -> list[Finding]:
    """What the judge finds between a source of one directory and a result of these: the base and its overviews."""
    source = write(folder / "source.tif", [Picture(_PIXELS, before)])
    levels = [Picture(_PIXELS, each | ({254: longs(1)} if at else {})) for at, each in enumerate(after)]
    result = write(folder / "result.tif", levels, order=">", big=True)
    return list(tags.compared(heads.read(source), heads.read(result)))


def test_each_tag_of_the_table_has_values_to_try() -> None:
    """Whoever adds a row has to plant a change of it; Exif and GPS have tests of their own."""
    wanted = {code for code, rule in RULES.items() if rule not in (Rule.FREE, Rule.PLACE)} - {_EXIF, _GPS}
    assert wanted <= set(_VALUES)


@pytest.mark.parametrize("code", sorted(_VALUES))
def test_an_equal_tag_is_no_difference(code: int, tmp_path: Path) -> None:
    """Nor is the other byte order, or BigTIFF."""
    same = {code: _VALUES[code][0]}
    assert _found(tmp_path, same, same, same) == []


@pytest.mark.parametrize("code", sorted(_VALUES))
def test_a_planted_change_is_found(code: int, tmp_path: Path) -> None:
    """Of the tags that may be named it is a loss, of the others a fault; the finding names the tag."""
    before, after = ({code: value} for value in _VALUES[code])
    found = _found(tmp_path, before, after)

    assert len(found) >= 1
    assert all(str(code) in each.text or "metadata item A" in each.text for each in found[:1])
    assert found[0].fault == (RULES.get(code, Rule.COPIED) != Rule.NAMED)


@pytest.mark.parametrize("code", sorted(set(_VALUES) - _DEFAULTED))
def test_a_tag_that_is_gone_is_found(code: int, tmp_path: Path) -> None:
    """A tag without a default cannot be left out."""
    assert _found(tmp_path, {code: _VALUES[code][0]}, {})


@pytest.mark.parametrize("code", sorted(_LEVELS))
def test_a_change_on_a_level_is_found(code: int, tmp_path: Path) -> None:
    """What samples mean has to be said of each level."""
    right, wrong = ({code: value} for value in _VALUES[code])
    found = _found(tmp_path, right, right, wrong)

    assert [each for each in found if each.fault and f"tag {code}" in each.text and "level 1" in each.text]


def test_a_mask_may_be_otherwise(tmp_path: Path) -> None:
    """The levels are compared masks aside."""
    mask = {254: longs(5), 262: shorts(4), 258: shorts(1), 277: shorts(1), 339: None}
    assert _found(tmp_path, {}, {}, mask) == []


@pytest.mark.parametrize(
    "code", sorted(code for code, rule in RULES.items() if rule == Rule.FREE and code != 254)
)
def test_what_is_free_is_let_pass(code: int, tmp_path: Path) -> None:
    """Compression, tiles and the like are the result's affair."""
    assert _found(tmp_path, {code: shorts(1)}, {code: shorts(2)}) == []


def test_a_default_is_as_good_as_the_tag(tmp_path: Path) -> None:
    """What TIFF takes for granted need not be written."""
    written = {274: shorts(1), 338: shorts(0, 0), 339: shorts(1, 1, 1), 296: shorts(2)}
    absent: dict[int, Entry | None] = {339: None}
    assert _found(tmp_path, written, absent) == []
    assert _found(tmp_path, absent, written) == []


def test_short_or_long_is_no_difference(tmp_path: Path) -> None:
    """The same number in another type says the same."""
    assert (
        _found(
            tmp_path, {40001: Entry(SHORT, (7,)), 256: shorts(64)}, {40001: Entry(LONG, (7,)), 256: longs(64)}
        )
        == []
    )


@pytest.mark.parametrize(("compression", "allowed"), [(7, True), (6, True), (1, False)])
def test_ycbcr_becomes_rgb_where_jpeg_is_decoded(compression: int, *, allowed: bool, tmp_path: Path) -> None:
    """And nowhere else."""
    found = _found(tmp_path, {259: shorts(compression), 262: shorts(6), 530: shorts(2, 2)}, {262: shorts(2)})
    assert (found == []) == allowed


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (b"-9999", b"-9999.0", True),
        (b"nan", b"NaN", True),
        (b"0.1", b"0.100000001490116", True),
        (b"9223372036854775807", b"9223372036854775806", False),
        (b"-9.2233720368547758e+18", b"-9", False),
        (b"0", b"1", False),
    ],
)
def test_nodata_is_compared_as_a_number(before: bytes, after: bytes, *, same: bool, tmp_path: Path) -> None:
    """With all digits of 64-bit integers, and as float32 holds it."""
    assert (_found(tmp_path, {42113: text(before)}, {42113: text(after)}) == []) == same


def test_a_tag_that_may_hold_an_offset_may_be_named(tmp_path: Path) -> None:
    """One that cannot must be copied; a pointer is never copied."""
    kinds = {40002: longs(8), 40003: Entry(13, (8,)), 40004: blob(b"notes of a maker")}
    assert [each.fault for each in _found(tmp_path, kinds, {})] == [False] * 3
    assert [each.fault for each in _found(tmp_path, {40005: doubles(1.5)}, {})] == [True]


@pytest.mark.parametrize("code", [_EXIF, _GPS])
def test_directories_within_are_compared_entry_by_entry(code: int, tmp_path: Path) -> None:
    """Exif and GPS: a value that is another, or gone, is a loss of the directory."""
    inner = {1: Entry(ASCII, b"N\0"), 2: ratios(47, 1, 16, 1, 3051, 100)}
    paths = [
        write(tmp_path / f"{at}.tif", [Picture(_PIXELS, inner={code: each} if each else {})])
        for at, each in enumerate((inner, inner, inner | {1: Entry(ASCII, b"S\0")}, {}))
    ]
    read = [heads.read(path) for path in paths]
    found = [list(tags.compared(read[0], other)) for other in read[1:]]

    assert [len(each) for each in found] == [0, 1, 1]
    assert not found[1][0].fault


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (274, shorts(6)),
        (262, shorts(5)),
        (262, shorts(8)),
        (262, shorts(32803)),
        (318, ratios(1, 3)),
        (262, shorts(3)),
    ],
)
def test_what_may_be_refused(code: int, value: Entry, tmp_path: Path) -> None:
    """What must be kept as it is and GDAL's driver does not keep."""
    plain = write(tmp_path / "plain.tif", [Picture(_PIXELS)])
    odd = write(tmp_path / "odd.tif", [Picture(_PIXELS, {code: value})])

    assert tags.refusable(heads.read(plain)) == []
    assert tags.refusable(heads.read(odd)) != []
