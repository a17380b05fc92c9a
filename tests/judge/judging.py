"""One raster and its result before the judge: all that is wrong, and all that is lost, named or silently.

The judge shares no code with the program: heads are read with tifffile, pixels with GDAL, and what must hold is
written down from the contract of conversion (`table`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.judge import form, ghost, heads, meaning, overviews, tags
from tests.judge.findings import Finding, Verdict, fault, verdict
from tests.judge.table import COMPRESSIONS_JPEG, PALETTE
from tests.support import compare

_ASSOCIATED = 1
_LERC, _WEBP = 34887, 50001


@dataclass(frozen=True)
class Told:
    """What a report says, as far as the judge needs it; warnings are pairs of code and text."""

    method: str
    classes: bool
    warnings: Sequence[tuple[str, str]]


def judged(source: Path, result: Path, told: Told) -> Verdict:
    """The verdict on one conversion."""
    return verdict(_findings(source, result, told), told.warnings)


def _findings(source: Path, result: Path, told: Told) -> Iterator[Finding]:
    yield from meaning.compared(source, result)
    try:
        after = heads.read(result)
    except heads.NoHead as error:
        yield fault(f"the result has no head: {error}")
        return
    yield from _heads(source, after)
    yield from form.checked(after, classes=told.classes, method=told.method, known=_holes(source))
    yield from ghost.checked(after)
    if told.classes:
        yield from map(fault, compare.invented(result))
    yield from overviews.checked(
        source,
        result,
        classes=told.classes or after.base.number(262, 1) == PALETTE,
        premultiplied=_ASSOCIATED in after.base.numbers(338),
        lossy=after.base.number(259, 1) in (*COMPRESSIONS_JPEG, _LERC, _WEBP),
        by_gdal=told.method == "cog_driver",
    )


def _holes(source: Path) -> frozenset[tuple[int, int]]:
    try:
        return form.holes(heads.read(source)) if heads.is_tiff(source) else frozenset()
    except heads.NoHead:
        return frozenset()


def _heads(source: Path, after: heads.Head) -> Iterator[Finding]:
    if not heads.is_tiff(source):
        return
    try:
        before = heads.read(source)
    except heads.NoHead as error:
        yield fault(f"the source has no head: {error}")
        return
    yield from tags.compared(before, after)
    pages = [d for d in before.directories[1:] if not d.reduced and not d.mask]
    if pages:
        yield Finding(f"{len(pages)} further pages", codes=("extra_pages",))


def refusable(source: Path) -> list[str]:
    """What in a source the contract lets be refused."""
    found = ["a soft mask"] if meaning.has_soft_mask(source) else []
    try:
        return found + (tags.refusable(heads.read(source)) if heads.is_tiff(source) else [])
    except heads.NoHead:
        return [*found, "a head that cannot be read"]
