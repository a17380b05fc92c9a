"""Rational polynomial coefficients as plain numbers, whatever stands behind them: units, exponents as of Fortran.

GDAL reads the number that a text begins with and takes no notice of the rest; so is it compared, and handed on.
Pure. Source of the names: GDAL's metadata domain RPC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

POLYNOMIALS = ("LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF")
"""Twenty numbers each."""

SCALARS = tuple(
    f"{name}_{part}" for part in ("OFF", "SCALE") for name in ("LINE", "SAMP", "LAT", "LONG", "HEIGHT")
)
ERRORS = ("ERR_BIAS", "ERR_RAND")
"""May be missing, or -1 or 0 for unknown."""

_TERMS = 20
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")


def plain(found: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The coefficients, each as bare numbers; none where one is missing or is no number."""
    texts = {name: _numbers(found.get(name, "")) for name in (*POLYNOMIALS, *SCALARS, *ERRORS)}
    whole = all(len(texts[name]) == _TERMS for name in POLYNOMIALS) and all(texts[name] for name in SCALARS)
    if not whole:
        return ()
    kept = {name: texts[name][: _TERMS if name in POLYNOMIALS else 1] for name in texts}
    return tuple(sorted((name, " ".join(numbers)) for name, numbers in kept.items() if numbers))


def others(found: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Items of the domain that a TIFF has no place for, such as the bounds of validity."""
    known = {*POLYNOMIALS, *SCALARS, *ERRORS}
    return sorted((name, value) for name, value in found.items() if name not in known)


def are(values: Sequence[float], found: Mapping[str, str]) -> bool:
    """Whether the values of a TIFF's tag are these coefficients, of which GDAL writes fifteen digits.

    The order of the tag's 92 numbers: two errors, which may be unknown; offsets and scales; the polynomials.
    """
    told = [n for name in (*SCALARS, *POLYNOMIALS) for n in _numbers(found.get(name, ""))]
    known = values[len(ERRORS) :]
    return len(told) == len(known) and all(
        float(text) in (value, float(f"{value:.15g}")) for text, value in zip(told, known, strict=True)
    )


def _numbers(text: str) -> list[str]:
    return [part.upper().replace("D", "E") for part in text.split() if _NUMBER.fullmatch(part)]
