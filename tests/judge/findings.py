"""What the judge finds: a fault that nothing excuses, or a loss that a warning may name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tifffile.tifffile import TIFF

from tests.judge.table import GDAL_NAMES, WAYS_TO_SAY


@dataclass(frozen=True)
class Finding:
    """One sentence. `words`: any of them in the text of a warning, or `codes`: any of them as its code, names it."""

    text: str
    fault: bool = False
    words: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


def fault(text: str) -> Finding:
    """What must not be, whatever a warning says."""
    return Finding(text, fault=True)


def tag_loss(code: int, text: str) -> Finding:
    """A tag that is not in the result as it was."""
    return Finding(
        f"{title(code)}: {text}", words=(str(code), *called(code)), codes=WAYS_TO_SAY.get(code, ())
    )


def title(code: int) -> str:
    """A tag as people call it."""
    return f"tag {code} ({', '.join(called(code)[:1]) or 'private'})"


def called(code: int) -> tuple[str, ...]:
    """The names of a tag."""
    names = TIFF.TAGS.getall(code, default=[]) or []
    return (*names, *([GDAL_NAMES[code]] if code in GDAL_NAMES else ()))


def named(found: Finding, warnings: Sequence[tuple[str, str]]) -> bool:
    """Whether a warning (its code and its text) names a loss; where it says "and 3 more" it is taken at its word."""
    return not found.fault and any(_names(found, code, text) for code, text in warnings)


def _names(found: Finding, code: str, text: str) -> bool:
    if code in found.codes:
        return True
    if not code.endswith("_lost"):
        return False
    plain = _plain(text)
    tokens = set(re.findall(r"\d+", text))
    said = any(word in tokens if word.isdigit() else _plain(word) in plain for word in found.words)
    return said or (code == "tag_lost" and bool(found.words) and re.search(r"and \d+ more", text) is not None)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@dataclass(frozen=True)
class Verdict:
    """What became of one raster: `wrong` and `silent` must be empty."""

    wrong: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The verdict in a word: the worst that was found."""
        kinds = (("wrong", self.wrong), ("silent", self.silent), ("named", self.named))
        return next((name for name, texts in kinds if texts), "exact")


def verdict(findings: Iterable[Finding], warnings: Sequence[tuple[str, str]]) -> Verdict:
    """Sort what was found by what the report says of it."""
    wrong, silent, told = [], [], []
    for found in dict.fromkeys(findings):
        place = wrong if found.fault else told if named(found, warnings) else silent
        place.append(found.text)
    return Verdict(tuple(wrong), tuple(silent), tuple(told))
