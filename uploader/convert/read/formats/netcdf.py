"""How long a netCDF file of the classic formats must be: the library reads what is missing as zeros.

Source: "The NetCDF Classic Format Specification" of Unidata, with the 64-bit variants (CDF-2 and CDF-5).
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

_HEADER = 16 << 20
_MAGICS = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_ITEM = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
"""Bytes of one value, by the format's number of its type."""

_STREAMING = -1


class _Header:
    """Reads one value after the other; raises struct.error or KeyError where they make no sense."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 4
        self._wide = data[3] == 5  # noqa: PLR2004 - CDF-5
        self._far = data[3] >= 2  # noqa: PLR2004 - CDF-2 and CDF-5

    def _integer(self, *, wide: bool) -> int:
        value: int = struct.unpack_from(">q" if wide else ">i", self._data, self._at)[0]
        self._at += 8 if wide else 4
        return value

    def count(self) -> int:
        """A number of things, -1 where it was left open."""
        return self._integer(wide=self._wide)

    def word(self) -> int:
        """A tag or a type: always four bytes."""
        return self._integer(wide=False)

    def offset(self) -> int:
        """A place in the file."""
        return self._integer(wide=self._far)

    def skip(self, size: int) -> None:
        """Pass over bytes, which are padded to four."""
        self._at += _padded(size)

    def attributes(self) -> None:
        """Pass over a list of attributes."""
        self.word()
        for _ in range(self.count()):
            self.skip(self.count())
            kind = self.word()
            self.skip(self.count() * _ITEM[kind])


def needed(path: Path) -> int:
    """Bytes that the file must have for all its values to be in it; 0 where its header cannot be followed."""
    with path.open("rb") as file:
        data = file.read(_HEADER)
    if not data.startswith(_MAGICS):
        return 0
    try:
        return _needed(_Header(data))
    except (struct.error, KeyError, IndexError):
        return 0


def _needed(header: _Header) -> int:
    records = header.count()
    header.word()
    dimensions = []
    for _ in range(header.count()):
        header.skip(header.count())
        dimensions.append(header.count())
    header.attributes()
    header.word()
    fixed: list[tuple[int, int]] = []
    growing: list[tuple[int, int]] = []
    for _ in range(header.count()):
        header.skip(header.count())
        shape = [dimensions[header.count()] for _ in range(header.count())]
        header.attributes()
        item = _ITEM[header.word()]
        header.count()  # the size of one record, which is too small a number for large ones
        grows = bool(shape) and shape[0] == 0
        (growing if grows else fixed).append((header.offset(), item * math.prod(shape[grows:])))
    sizes = [size for _, size in growing]
    step = sum(map(_padded, sizes)) if len(sizes) > 1 else sum(sizes)
    last = (
        [] if records in (0, _STREAMING) else [begin + (records - 1) * step + size for begin, size in growing]
    )
    return max([0, *(begin + size for begin, size in fixed), *last])


def _padded(size: int) -> int:
    return -(-size // 4) * 4
