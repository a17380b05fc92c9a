"""The only place that reads and writes amounts of bytes as people spell them."""

from __future__ import annotations

import re

UNITS = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
"""Decimal and binary units in lower case. A bare `G` is not among them: it could mean either."""

_SIZE = re.compile(r"\s*(\d+(?:[._]\d+)*)\s*([A-Za-z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes of "200GiB", "1.5 GB" or "4096"; raises ValueError with one sentence that a person can act on."""
    match = _SIZE.fullmatch(text)
    unit = match.group(2).lower() if match else ""
    if match is None or (unit and unit not in UNITS):
        raise ValueError(
            f'"{text}" is not a size; write a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB'
        )
    try:
        number = float(match.group(1))
    except ValueError:
        raise ValueError(f'"{text}" is not a size; "{match.group(1)}" is not a number') from None
    return int(number * UNITS[unit or "b"])


def parse_rate(text: str) -> int:
    """Bytes per second of "50MB/s"; raises ValueError where it is not above zero."""
    number, slash, second = text.partition("/")
    if not slash or second.strip() != "s":
        raise ValueError(f'"{text}" is not a rate; write for example "50MB/s"')
    rate = parse_size(number)
    if rate < 1:
        raise ValueError(f'"{text}" would let nothing through; leave it empty for no limit')
    return rate


def format_size(size: float) -> str:
    """A size in bytes as three digits and a binary unit: "1.46 GiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:  # noqa: PLR2004 - the step from one binary unit to the next
            return f"{size:.0f} B" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} TiB"
