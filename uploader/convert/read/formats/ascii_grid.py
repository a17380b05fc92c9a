"""Which type the numbers of an ASCII grid need.

Left to itself GDAL takes a grid for whole numbers when its first hundred kilobytes have no point, and else rounds all
of it to float32. Here the whole text is looked through first, so that no digit is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIECE = 4 << 20
_KEYWORDS = 4096
_LONG = re.compile(rb"(?<!\S)[-+]?[\d.]{8,}(?:[eE][-+]?\d+)?(?!\S)")
"""Numbers with more digits than every float32 has; no others need a closer look."""

_FRACTION = re.compile(rb"[.,eEnN]")
_HEADER = re.compile(
    rb"(?:\s*(?:ncols|nrows|[xy]ll(?:corner|center)|d[xy]|cellsize|nodata_value)[ \t]+\S+[ \t]*\r?\n)+",
    re.IGNORECASE,
)
_NODATA = re.compile(rb"nodata_value\s+(\S+)", re.IGNORECASE)
_INT32 = 2**31


def data_type(path: Path) -> str:
    """GDAL's name of the type that holds all numbers of the grid as they are written: Int32, Float32 or Float64."""
    status = path.stat()
    return _data_type(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _data_type(path: Path, _size: int, _mtime_ns: int) -> str:
    fractions, in_int, in_float = _FRACTION.search(_head(path)[1]) is not None, True, True
    for piece in _pieces(path):
        fractions = fractions or _FRACTION.search(piece) is not None
        numbers = np.array(_LONG.findall(piece) or [b"0"])
        in_int = in_int and not fractions and _in_int(numbers)
        in_float = in_float and _in_float(numbers)
        if not (in_int or in_float):
            return "Float64"
    if in_int:
        return "Int32"
    return "Float32" if in_float else "Float64"


def _in_int(numbers: NDArray[np.bytes_]) -> bool:
    return bool(np.all(np.abs(numbers.astype(np.float64)) < _INT32))


def _in_float(numbers: NDArray[np.bytes_]) -> bool:
    """Whether float32, printed with as many decimals as each number has, is that number."""
    values = numbers.astype(np.float64)
    with np.errstate(over="ignore"):
        error = np.abs(values - values.astype(np.float32).astype(np.float64))
    return bool(np.all(error <= 0.5 * 10.0 ** -_decimals(numbers)))


def _decimals(numbers: NDArray[np.bytes_]) -> NDArray[np.float64]:
    """Places behind the point, less the power of ten."""
    mantissas, powers = numbers, np.zeros(numbers.size)
    scientific = np.flatnonzero(np.char.find(np.char.lower(numbers), b"e") >= 0)
    if scientific.size:
        mantissas = numbers.copy()
        for index in scientific:
            mantissa, _, power = bytes(numbers[index]).lower().partition(b"e")
            mantissas[index], powers[index] = mantissa, int(power)
    points: NDArray[Any] = np.char.find(mantissas, b".")
    return np.where(points < 0, 0, np.char.str_len(mantissas) - 1 - points) - powers


def _pieces(path: Path) -> Iterator[bytes]:
    """The text below the header, cut between numbers."""
    with path.open("rb") as file:
        file.seek(_head(path)[0])
        rest = b""
        while piece := file.read(_PIECE):
            whole = rest + piece
            cut = max(whole.rfind(b" "), whole.rfind(b"\n")) + 1
            yield whole[:cut]
            rest = whole[cut:] if len(whole) - cut < _KEYWORDS else b""
        yield rest


def _head(path: Path) -> tuple[int, bytes]:
    """Bytes of the header, and the text of its nodata value."""
    with path.open("rb") as file:
        header = _HEADER.match(file.read(_KEYWORDS))
    text = header.group() if header else b""
    nodata = _NODATA.search(text)
    return len(text), nodata.group(1) if nodata else b""
