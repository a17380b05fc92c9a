"""The head of the source against the head of the result, tag by tag, as the table says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.judge import metadata
from tests.judge.findings import Finding, fault, tag_loss, title
from tests.judge.heads import ASCII, EXIF, GPS, INTEROPERABILITY, Directory, Head, Tags, alike, same
from tests.judge.table import (
    BESIDE,
    CHANNELS,
    COMPRESSIONS_JPEG,
    OF_CODECS,
    OF_YCBCR,
    OFFSET_KINDS,
    PALETTE,
    POINTERS,
    RGB,
    RULES,
    SEPARATED,
    YCBCR,
    Rule,
)

_DEFAULTS: dict[int, tuple[Any, ...]] = {262: (1,), 274: (1,), 277: (1,), 296: (2,), 332: (1,)}
_PER_SAMPLE = {258: 1, 339: 1}
_METADATA, _NODATA = 42112, 42113
_GAMMA = 2.2
_DIRECTORIES = (EXIF, GPS, INTEROPERABILITY)
_UNSIGNED, _VOID = 1, 4
_BOTH_WAYS = (Rule.EQUAL, Rule.LEVELS, Rule.REFUSED)
"""Of these tags one that only the result has is a difference, too."""


def rule_of(code: int, source: Directory) -> Rule:
    """What is demanded of a tag of this source."""
    if code in OF_YCBCR and source.number(262, 1) == YCBCR:
        return Rule.FREE
    if code in OF_CODECS and source.number(259, 1) in OF_CODECS[code]:
        return Rule.FREE
    return RULES.get(code, Rule.COPIED)


def compared(source: Head, result: Head) -> Iterator[Finding]:
    """All that the two heads do not have in common."""
    before, after = source.base, result.base
    codes = set(before.tags) | set(_DEFAULTS) | set(_PER_SAMPLE) | {338}
    codes |= {code for code in after.tags if RULES.get(code) in _BOTH_WAYS and code not in BESIDE}
    for code in sorted(codes):
        yield from _CHECKS[rule_of(code, before)](code, before, result)
    for code in _DIRECTORIES:
        yield from _directory(code, before, after)
    if _NODATA not in before.tags and len({_nodata(level) for level in result.levels}) > 1:
        yield fault(f"{title(_NODATA)} is not the same on every level")


def filled(directory: Directory, code: int) -> tuple[Any, ...] | None:
    """The numbers of a tag with TIFF's defaults filled in; None where there is neither."""
    samples, kind, bits = (directory.number(of, 1) for of in (277, 262, 258))
    numbers = directory.numbers(code)
    if code in _PER_SAMPLE:
        known = numbers or (_PER_SAMPLE[code],)
        known = known if len(known) >= samples else known[:1] * samples
        return tuple(_UNSIGNED if code == 339 and n == _VOID else n for n in known[:samples])
    if code == 338:
        extra = max(0, samples - CHANNELS.get(kind, 1))
        return (*numbers, *(0,) * (extra - len(numbers)))
    if code == 301:
        return (numbers or _gamma(bits)) * (3 if len(numbers) in (0, 1 << bits) else 1)
    if kind == SEPARATED and not numbers:
        return {334: (4,), 336: (0, (1 << bits) - 1)}.get(code, _DEFAULTS.get(code))
    return numbers or _DEFAULTS.get(code)


def _gamma(bits: int) -> tuple[int, ...]:
    """The transfer function that TIFF takes for granted."""
    last = (1 << bits) - 1
    return tuple(int(65535 * (i / last) ** _GAMMA + 0.5) for i in range(last + 1)) if bits <= 16 else ()


def _alike(code: int, before: Directory, after: Directory) -> bool:
    if code == _NODATA:
        return same_nodata(before, after)
    old, new = filled(before, code), filled(after, code)
    if code in before.tags and code in after.tags and same(before.tags[code], after.tags[code]):
        return True
    if old is None or new is None:
        return old is new
    return len(old) == len(new) and all(map(alike, old, new))


def same_nodata(before: Directory, after: Directory) -> bool:
    """Whether two nodata texts mean one number; 64-bit integers to the last digit, float32 as float32 holds it."""
    if _NODATA not in before.tags or _NODATA not in after.tags:
        return _NODATA not in before.tags  # one that is new came from a sidecar, and is seen through GDAL
    old, new = (directory.tags[_NODATA].text.strip() for directory in (before, after))
    if old == new:
        return True
    try:
        return int(old) == int(new)
    except ValueError:
        pass
    try:
        pair = float(old), float(new)
    except ValueError:
        return False
    return alike(*pair) or math.isclose(*pair, rel_tol=6e-8)


def _nodata(directory: Directory) -> bytes | None:
    return directory.tags[_NODATA].text if _NODATA in directory.tags else None


def _on_base(code: int, before: Directory, result: Head) -> Iterator[Finding]:
    if not _alike(code, before, result.base):
        yield fault(f"{title(code)}: {_shown(before, code)} became {_shown(result.base, code)}")


def _on_levels(code: int, before: Directory, result: Head) -> Iterator[Finding]:
    wanted = before
    if code in (262, 338) and _decoded_ycbcr(before, result):
        wanted = replace(before, tags={**before.tags, 262: result.base.tags[262]})
    for number, level in enumerate(result.levels):
        if not _alike(code, wanted, level):
            where = f"level {number}" if number else "the base"
            yield fault(f"{title(code)} of {where}: {_shown(before, code)} became {_shown(level, code)}")
            return


def _decoded_ycbcr(before: Directory, result: Head) -> bool:
    kinds = before.number(262, 1), result.base.number(262, 1)
    return kinds == (YCBCR, RGB) and before.number(259, 1) in COMPRESSIONS_JPEG


def _named(code: int, before: Directory, result: Head) -> Iterator[Finding]:
    if code in _DIRECTORIES:
        return
    if code == _METADATA:
        yield from metadata.compared(before.tags[code], result.base.tags.get(code))
    elif not _is_blank(code, before) and not _alike(code, before, result.base):
        yield tag_loss(code, f"{_shown(before, code)} became {_shown(result.base, code)}")


def _is_blank(code: int, directory: Directory) -> bool:
    """Whether a text says nothing."""
    return (
        code in directory.tags
        and directory.tags[code].kind == ASCII
        and not directory.tags[code].text.strip()
    )


def _copied(code: int, before: Directory, result: Head) -> Iterator[Finding]:
    value, after = before.tags[code], result.base.tags.get(code)
    if code in _DIRECTORIES or not value.raw or _is_blank(code, before):
        return
    if code in POINTERS or not same(value, after):
        lost = tag_loss(code, f"{_shown(before, code)} became {_shown(result.base, code)}")
        holds_none = code not in POINTERS and value.kind not in OFFSET_KINDS
        yield fault(f"{lost.text}, although it holds no offset") if holds_none else lost


def _directory(code: int, before: Directory, after: Directory) -> Iterator[Finding]:
    old, new = before.inner.get(code), after.inner.get(code, {})
    if old is None:
        if code in before.tags:
            yield tag_loss(code, "its directory cannot be read")
        return
    gone = sorted(
        entry for entry in old if entry not in _DIRECTORIES and not same(old[entry], new.get(entry))
    )
    if gone:
        yield tag_loss(code, f"the entries {', '.join(map(str, gone))} are not as they were")


def _nothing(_code: int, _before: Directory, _result: Head) -> Iterator[Finding]:
    return iter(())


_CHECKS = {
    Rule.EQUAL: _on_base,
    Rule.LEVELS: _on_levels,
    Rule.REFUSED: _on_base,
    Rule.NAMED: _named,
    Rule.COPIED: _copied,
    Rule.FREE: _nothing,
    Rule.PLACE: _nothing,  # compared through GDAL: one place can be written in several ways
}


def _shown(directory: Directory, code: int) -> str:
    numbers = filled(directory, code)
    if code in directory.tags and directory.tags[code].kind == ASCII:
        return repr(directory.tags[code].text[:60])
    if numbers is None:
        return "nothing"
    return ", ".join(map(str, numbers[:8])) + (" …" if len(numbers) > 8 else "")


def refusable(source: Head) -> list[str]:
    """What in a source may be refused, because it must be kept as it is, and GDAL's driver does not."""
    tags: Tags = source.base.tags
    found = [title(code) for code in tags if RULES.get(code) == Rule.REFUSED and _unusual(code, source.base)]
    kind, jpeg = source.base.number(262, 1), source.base.number(259, 1) in COMPRESSIONS_JPEG
    if kind not in (0, 1, 2, 3) and not (kind == YCBCR and jpeg):
        found.append(f"photometric {kind}")
    if kind == PALETTE and (not source.base.numbers(320) or any(n % 257 for n in source.base.numbers(320))):
        found.append("a colour map that is missing, or has entries of 16 bits")
    return found


def _unusual(code: int, directory: Directory) -> bool:
    return code != 274 or directory.number(274, 1) != 1
