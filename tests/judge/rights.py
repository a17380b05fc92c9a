"""What is right for each kind of raster that went wrong, as a check of what came of it: facts of the result alone.

`RIGHTS` has one for each kind; a check gives a sentence for each thing that is not right, and none where all is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.crs import CRS

from tests.judge import heads, judging, overviews, showing
from tests.support import systems


@dataclass(frozen=True)
class Seen:
    """What became of a raster: a result with the warnings of its report, or (None) a reason in words."""

    source: Path
    result: Path | None
    warnings: Sequence[tuple[str, str]] = ()
    reason: str = ""
    method: str = ""
    classes: bool = False

    def says(self, word: str) -> bool:
        """Whether a warning has this in its code or its text."""
        return any(word in code or word.lower() in text.lower() for code, text in self.warnings)


Check = Callable[[Seen, Path], Iterator[str]]
RIGHTS: dict[str, tuple[Check, ...]] = {}
"""The checks of each case; all of them are made."""


def problems(seen: Seen, checks: Sequence[Check]) -> list[str]:
    """All that is not right with what came of a raster: by these checks, and by the judge's own."""
    if seen.result is None:
        return [f"refused: {seen.reason}"]
    found = judging.judged(seen.source, seen.result, judging.Told(seen.method, seen.classes, seen.warnings))
    own = [text for check in checks for text in check(seen, seen.result)]
    return [*own, *(f"wrong: {text}" for text in found.wrong), *(f"silent: {text}" for text in found.silent)]


def tag(code: int, *wanted: int) -> Check:
    """A tag has these numbers on every level, masks aside."""

    def check(_seen: Seen, result: Path) -> Iterator[str]:
        for number, level in enumerate(heads.read(result).levels):
            found = level.numbers(code)
            if found != wanted:
                yield f"tag {code} of level {number} is {found}, not {wanted}"

    return check


def system(wanted: str) -> Check:
    """The reference system is this one; a compound one has its vertical part."""

    def check(_seen: Seen, result: Path) -> Iterator[str]:
        with rasterio.open(result) as dataset:
            if not systems.same(CRS.from_user_input(wanted), dataset.crs):
                yield f"the system is {str(dataset.crs)[:70] or 'none'}, not {wanted}"

    return check


def either(first: Check, second: Check) -> Check:
    """One of two will do."""

    def check(seen: Seen, result: Path) -> Iterator[str]:
        one, other = list(first(seen, result)), list(second(seen, result))
        if one and other:
            yield f"{'; '.join(one)}, and {'; '.join(other)}"

    return check


def warned(word: str) -> Check:
    """A warning has this word in its code or its text."""

    def check(seen: Seen, _result: Path) -> Iterator[str]:
        if not seen.says(word):
            yield f"no warning speaks of {word}: {[code for code, _ in seen.warnings]}"

    return check


def taken(_seen: Seen, _result: Path) -> Iterator[str]:
    """It is enough that there is a result, which the judge has nothing against."""
    return iter(())


def overviews_show(_seen: Seen, result: Path) -> Iterator[str]:
    """There are overviews, and each shows the level above it."""
    found = overviews.levels(result)
    if len(found) < 2:
        yield "there are no overviews"
    for number, (above, below) in enumerate(pairwise(found)):
        for band in range(len(above.samples)):
            pair = [(level.samples[band], level.valid[band]) for level in (above, below)]
            text = showing.fails(*pair, np.ones(below.size, bool), classes=False, lossy=False)
            if text:
                yield f"overview {number} does not show the level above it: {text}"


def nan_stays(_seen: Seen, result: Path) -> Iterator[str]:
    """Of an overview only pixels over nothing but NaN and infinities are NaN, and no nodata value is declared."""
    found = overviews.levels(result)
    for number, (above, below) in enumerate(pairwise(found)):
        shares = [float(1 - np.isfinite(level.samples).mean()) for level in (above, below)]
        if shares[1] > shares[0]:
            yield f"overview {number} has {shares[1]:.1%} NaN, the level above it {shares[0]:.1%}"
    with rasterio.open(result) as dataset:
        if dataset.nodata is not None:
            yield f"a nodata value is declared: {dataset.nodata}"


def rpc(**wanted: float) -> Check:
    """All coefficients are there, and some of them are these."""

    def check(_seen: Seen, result: Path) -> Iterator[str]:
        numbers = heads.read(result).base.numbers(50844)
        if len(numbers) != 92:
            yield f"the head has {len(numbers)} of 92 rational polynomial coefficients"
        with rasterio.open(result) as dataset:
            found = dataset.rpcs
        for name, value in wanted.items():
            if found is None or abs(getattr(found, name) - value) > 1e-12 * abs(value):
                yield f"{name} is {found and getattr(found, name)}, not {value}"

    return check


def description(*wanted: bytes) -> Check:
    """The head holds one of these texts, or a warning names the loss."""

    def check(seen: Seen, result: Path) -> Iterator[str]:
        value: Any = heads.read(result).base.tags.get(42112)
        kept = value is not None and any(text in value.raw for text in wanted)
        if not kept and not seen.says("description") and not seen.says("text"):
            yield f"the description is gone without a word: {value and value.raw[:200]}"

    return check


def geokey(key: int, *wanted: float) -> Check:
    """A key of the GeoTIFF directory has these values."""

    def check(_seen: Seen, result: Path) -> Iterator[str]:
        base = heads.read(result).base
        entries = base.numbers(34735)
        found: tuple[float, ...] = ()
        for at in range(4, len(entries), 4):
            code, where, count, value = entries[at : at + 4]
            if code == key:
                found = base.numbers(where)[value : value + count] if where else (value,)
        if found != wanted:
            yield f"the GeoTIFF key {key} is {found or 'not there'}, not {wanted}"

    return check


def placed(seen: Seen, result: Path) -> Iterator[str]:
    """The raster lies somewhere."""
    with rasterio.open(result) as dataset:
        if dataset.transform.is_identity and not dataset.gcps[0]:
            yield "it has no place"


def kept(code: int) -> Check:
    """A tag of the base is as in the source."""

    def check(seen: Seen, result: Path) -> Iterator[str]:
        values = [heads.read(path).base.tags.get(code) for path in (seen.source, result)]
        if not heads.same(*values):
            yield f"tag {code} is not as in the source"

    return check


def values_occur(_seen: Seen, result: Path) -> Iterator[str]:
    """Each value of an overview is one of the raster: what is made of bits is no mean."""
    found = overviews.levels(result)
    for number, level in enumerate(found[1:]):
        strange = np.setdiff1d(level.samples, found[0].samples)
        if strange.size:
            yield f"overview {number} has {strange.size} values that the raster has not, such as {strange[0]}"


def imagery(**wanted: str) -> Check:
    """What the product says of the scene is inside, as GDAL shows it."""

    def check(_seen: Seen, result: Path) -> Iterator[str]:
        with rasterio.open(result) as dataset:
            found = dataset.tags(ns="IMAGERY")
        for key, value in wanted.items():
            if found.get(key) != value:
                yield f"{key} is {found.get(key)}, not {value}"

    return check


def pixels_of(wanted: Callable[[], np.ndarray]) -> Check:
    """The samples are these."""

    def check(_seen: Seen, result: Path) -> Iterator[str]:
        with rasterio.open(result) as dataset:
            if not np.array_equal(dataset.read(1), wanted()):
                yield "the samples are not those of the source"

    return check


UNREADABLE = warned("prj_unreadable")
RIGHTS |= {
    "alpha-premultiplied": (tag(338, 1),),
    "four-bands-not-rgb": (tag(262, 1), tag(338, 0, 0, 0)),
    "overviews-killed": (overviews_show,),
    "overviews-edited": (overviews_show,),
    "nan-undeclared": (nan_stays,),
    "rpc-units": (rpc(line_off=3754.0, samp_scale=4001.0, lat_off=26.80851366, height_scale=500.0),),
    "prj-compound": (system("EPSG:25832+7837"),),
    "prj-bom": (either(system("EPSG:25832"), UNREADABLE),),
    "prj-proj-string": (either(system("+proj=utm +zone=32 +ellps=GRS80 +units=m"), UNREADABLE),),
    "prj-and-point": (system("EPSG:25832"),),
    "text-latin1": (description(b"H\xf6hen", "Höhen".encode()),),
    "aux-cut-off": (warned("aux"),),
    "last-strip-counted-full": (
        pixels_of(lambda: (np.add.outer(np.arange(200), np.arange(200)) % 251).astype("u1")),
    ),
}
