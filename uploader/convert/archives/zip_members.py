"""The members of a zip, by the list at its end. Python's zipfile reads it; what it believes is looked at before."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import BinaryIO

from uploader.convert.archives.member import SEVERAL, UNPACK, ArchiveMember, Source, refused
from uploader.core.archives import LIST_BYTES, MOST_ENTRIES, fault_of
from uploader.core.errors import RasterRefused
from uploader.core.path_text import lossless

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LOCAL_BYTES = 30
"""Of what stands before each member, its name and its further fields apart."""

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF_8 = 0x800
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


def members(file: BinaryIO) -> Iterator[ArchiveMember]:
    """Every entry, in the order of the list. Raises RasterRefused, and whatever a damaged one makes zipfile raise."""
    _require_short_list(file)
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        if len(infos) > MOST_ENTRIES:
            raise _too_many(len(infos))
        _require_apart(infos, archive.start_dir)
        for info in infos:
            name = _name(info)
            yield ArchiveMember(
                name, info.file_size, _fault(info, name), info.is_dir(), partial(_opened, archive, info)
            )


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> AbstractContextManager[Source]:
    return archive.open(info)


def _name(info: zipfile.ZipInfo) -> str:
    """As it is spelled: zipfile cuts names at a NUL, and reads what is not said to be UTF-8 in a code page of DOS."""
    spelled = info.orig_filename
    return spelled if info.flag_bits & _UTF_8 else lossless(spelled.encode("cp437"))


def _fault(info: zipfile.ZipInfo, name: str) -> str:
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if stat.S_ISLNK(mode):
        return "is a link"
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a device, a pipe or a socket"
    if info.compress_type not in _METHODS:
        return f"is compressed by a method that is not read here ({info.compress_type})"
    return fault_of(name)


def _require_short_list(file: BinaryIO) -> None:
    """Raises RasterRefused where the list at the end would fill the memory: zipfile reads it as a whole."""
    count, size = _declared(file)
    if count > MOST_ENTRIES:
        raise _too_many(count)
    if size > LIST_BYTES:
        text = f"The archive is not opened: its list of names has {size:,} bytes, and {LIST_BYTES:,} are read at most."
        raise RasterRefused(text, UNPACK)


def _too_many(count: int) -> RasterRefused:
    return RasterRefused(
        f"The archive is not opened: it says that it has {count:,} entries, and {MOST_ENTRIES:,} are taken at most.",
        SEVERAL,
    )


def _declared(file: BinaryIO) -> tuple[int, int]:
    """How many entries the end of a zip declares, and the bytes of their list; (0, 0) where it has no such end."""
    length = file.seek(0, 2)
    start = max(0, length - _END.size - 0xFFFF)
    file.seek(start)
    tail = file.read()
    at = len(tail) - _END.size
    if at < 0 or tail[at : at + 4] != b"PK\5\6" or tail[-2:] != b"\0\0":
        at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        return 0, 0
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, at)
    before = start + at - _LOCATOR.size
    file.seek(max(0, before))
    locator = file.read(_LOCATOR.size)
    if before < 0 or locator[:4] != b"PK\6\7":
        return count, size
    file.seek(max(0, before - _END_64.size))  # where zipfile looks for it, whatever the locator says
    end = file.read(_END_64.size)
    if len(end) < _END_64.size or end[:4] != b"PK\6\6":
        return count, size
    _, _, _, _, _, _, _, count_64, size_64, _ = _END_64.unpack(end)
    return max(count, count_64), max(size, size_64)


def _require_apart(infos: Sequence[zipfile.ZipInfo], end: int) -> None:
    """Raises RasterRefused where two members share bytes: so a small archive would become an endless one."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in ordered[1:]), end]
    for info, after in zip(ordered, ends, strict=True):
        if info.header_offset + _LOCAL_BYTES + len(info.orig_filename) + info.compress_size > after:
            raise refused(_name(info), "shares its bytes with another member")
