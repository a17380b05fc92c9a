"""What a result must be like whatever the source was: tiles, predictors, and a place on the base alone."""

from __future__ import annotations

from collections.abc import Iterator

from tests.judge.findings import Finding, fault
from tests.judge.heads import SUB_IFDS, Directory, Head
from tests.judge.table import PALETTE, PREDICTED, RULES, Rule

_WHOLE = (1, 2)
_FLOAT = 3
_HALF = 16
_DIFFERENCED = (8, 16, 32)
_ALONE = frozenset(code for code, rule in RULES.items() if rule == Rule.PLACE)
MADE = ("encode", "cog_driver")
"""Methods that compress tiles; the others take tiles as they are, with the predictor that they have."""


def holes(source: Head) -> frozenset[tuple[int, int]]:
    """The sizes of images and masks of which some tiles are not there."""
    return frozenset(_size(each) for each in source.directories if _sparse(each))


def checked(
    result: Head, *, classes: bool, method: str, known: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[Finding]:
    """All that is not as it must be, in the base, the overviews and the masks; the source has the `known` holes."""
    for number, directory in enumerate(result.directories):
        what = f"directory {number}"
        yield from _tiles(what, directory)
        # What was taken as it is may have holes as it had them; what was made may not.
        if _sparse(directory) and (method in MADE or _size(directory) not in known):
            yield fault(f"{what} is sparse")
        if SUB_IFDS in directory.tags:
            yield fault(f"{what} has SubIFDs")
        if number and _ALONE & set(directory.tags):
            yield fault(f"{what} has a place: tags {sorted(_ALONE & set(directory.tags))}")
    if method in MADE:
        for number, level in enumerate(result.levels):
            yield from _predictor(f"level {number}", level, classes=classes)


def _tiles(what: str, directory: Directory) -> Iterator[Finding]:
    width, height = directory.number(322, 0), directory.number(323, 0)
    if not width or width != height:
        yield fault(f"{what} has tiles of {width} x {height}")


def _size(directory: Directory) -> tuple[int, int]:
    return directory.number(256, 0), directory.number(257, 0)


def _sparse(directory: Directory) -> bool:
    offsets, counts = directory.numbers(324), directory.numbers(325)
    return any(not offset or not count for offset, count in zip(offsets, counts, strict=False))


def _predictor(what: str, level: Directory, *, classes: bool) -> Iterator[Finding]:
    if level.number(259, 1) not in PREDICTED:
        return
    wanted, found = predictor(level, classes=classes), level.number(317, 1)
    half = (
        wanted == _FLOAT and level.number(258, 1) == _HALF and found in _WHOLE[1:]
    )  # all that GDAL writes of them
    if wanted != found and not half:
        yield fault(f"{what} has predictor {found}, not {wanted}")


def predictor(level: Directory, *, classes: bool) -> int:
    """The predictor that the samples of a level call for."""
    kind, bits = level.number(339, 1), level.number(258, 1)
    if classes or level.number(262, 1) == PALETTE or bits > 64:
        return 1
    if kind == _FLOAT:
        return 3
    return 2 if kind in _WHOLE and bits in _DIFFERENCED else 1
