"""Archives made by hand: good ones, and those of somebody who means harm."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Build = Callable[[], bytes]


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def zip_tree(target: Path, root: Path) -> None:
    """A zip of all that lies below a folder, with the folders in it, as the usual tools make it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root))


def tarred(files: Mapping[str, bytes], **kind: Any) -> bytes:
    """A tar of these files; `kind` are attributes that every header has besides."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for attribute, value in kind.items():
                setattr(info, attribute, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _zeros(mebibytes: int) -> bytes:
    """A stream of deflate from which so many mebibytes of zeros come: a piece of a thousand bytes, again and again."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packing.compress(bytes(1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    return piece * mebibytes + packing.flush()


def _flat() -> bytes:
    """One member of 400 MiB from 400 kB."""
    packed, size, name = _zeros(400), 400 << 20, b"a.tif"
    body = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0)
        + name
        + packed
    )
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0, 0, 0, 0, 0, 0
    ) + name  # fmt: skip
    return body + entry + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(body), 0)


def _gzipped_zeros(mebibytes: int) -> bytes:
    return gzip.compress(b"")[:10] + _zeros(mebibytes) + bytes(8)


def _special(mode: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("odd.tif")
        info.external_attr = (mode | 0o644) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def _twice() -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a.tif", b"one")
        archive.writestr("a.tif", b"two")
    return out.getvalue()


def _encrypted() -> bytes:
    data = bytearray(zipped({"secret.tif": b"x" * 64}))
    data[6] |= 1
    data[data.rindex(b"PK\1\2") + 8] |= 1
    return bytes(data)


def _lying(size: int) -> bytes:
    """It says in both places that its one member, of a thousand bytes, has another size."""
    data = bytearray(zipped({"a.tif": bytes(1000)}))
    struct.pack_into("<L", data, 22, size)
    struct.pack_into("<L", data, data.rindex(b"PK\1\2") + 24, size)
    return bytes(data)


def _wrong_sum() -> bytes:
    data = bytearray(zipped({"a.tif": bytes(range(256)) * 4}, method=zipfile.ZIP_STORED))
    data[60] ^= 0xFF
    return bytes(data)


def _overlapping() -> bytes:
    """A thousand members that all share one kernel of compressed zeros."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = kernel.compress(bytes(1 << 20)) + kernel.flush()
    crc = zlib.crc32(bytes(1 << 20))
    local, entries = bytearray(), bytearray()
    offsets = []
    for number in range(1000):
        offsets.append(len(local))
        name = f"{number}.tif".encode()
        local += (
            struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(packed), 1 << 20, len(name), 0)
            + name
        )
    for number, offset in enumerate(offsets):
        name = f"{number}.tif".encode()
        packed_size = len(local) - offset - 30 - len(name) + len(packed)
        entries += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, packed_size, 1 << 20, len(name), 0, 0, 0, 0, 0, offset
        ) + name  # fmt: skip
    body = bytes(local) + packed
    return body + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(entries), len(body), 0)


def _million() -> bytes:
    """A million entries without a name, and nothing else."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    size = len(entry) * 1_000_000
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    return (
        entry * 1_000_000
        + end_64
        + locator
        + struct.pack("<4s4H2LH", b"PK\5\6", *[0xFFFF] * 4, *[0xFFFFFFFF] * 2, 0)
    )


def _few_said(count: int) -> bytes:
    """More entries than are taken, of which the end of the zip tells none."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    return entry * count + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry) * count, 0, 0)


def _tar_header(size: int, kind: bytes) -> bytes:
    """A tar that says that its first entry is of this kind and has so many bytes."""
    info = tarfile.TarInfo("a.tif")
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def _endless_header() -> bytes:
    """A sparse file of the old kind, whose map goes on from block to block."""
    info = tarfile.TarInfo("a.tif")
    info.type = tarfile.GNUTYPE_SPARSE
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[482] = 1
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    block = bytearray(512)
    block[504] = 1
    return bytes(head) + bytes(block) * 40_000


def _sparse() -> bytes:
    header = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": f"{1 << 40}",
    }
    return tarred({"a.tif": b"x"}, pax_headers=header)


def _nul() -> bytes:
    return zipped({"a_0.tif": b"x"}).replace(b"a_0.tif", b"a\0b.tif")


ZIPS: dict[str, tuple[Build, str]] = {
    "flat bomb": (_flat, "say that they hold more than"),
    "overlapping bomb": (_overlapping, '"0.tif" in it shares its bytes with another member'),
    "a million entries": (_million, "1,000,000 entries, and 50,000 are taken at most"),
    "a million entries, not told": (lambda: _few_said(1_000_000), "its list of names has 46,000,000 bytes"),
    "more entries than taken": (lambda: _few_said(60_000), "60,000 entries, and 50,000 are taken at most"),
    "upwards": (lambda: zipped({"../../a.tif": b"x"}), '"../../a.tif" in it has a name that leads out'),
    "upwards with backslashes": (lambda: zipped({"x\\..\\..\\a.tif": b"x"}), "leads out of the archive"),
    "absolute": (
        lambda: zipped({"/etc/cron.d/a.tif": b"x"}),
        '"/etc/cron.d/a.tif" in it has an absolute name',
    ),
    "absolute with a drive": (lambda: zipped({"C:\\a.tif": b"x"}), "has an absolute name"),
    "link": (lambda: _special(stat.S_IFLNK), '"odd.tif" in it is a link'),
    "device": (lambda: _special(stat.S_IFBLK), '"odd.tif" in it is a device, a pipe or a socket'),
    "pipe": (lambda: _special(stat.S_IFIFO), "is a device, a pipe or a socket"),
    "twice": (_twice, '"a.tif" in it has the name of another member'),
    "twice, case aside": (lambda: zipped({"x/A.tif": b"1", "X/a.tif": b"2"}), "case aside"),
    "file and folder": (lambda: zipped({"a": b"1", "a/b.tif": b"2"}), "or of a folder"),
    "encrypted": (_encrypted, '"secret.tif" in it is encrypted'),
    "other method": (
        lambda: zipped({"a.tif": b"x"}).replace(struct.pack("<HH", 0, 8), struct.pack("<HH", 0, 9)),
        "compressed by a method that is not read here (9)",
    ),
    "more than it says": (lambda: _lying(10), "Bad CRC-32 for file 'a.tif'"),
    "less than it says": (lambda: _lying(5000), '"a.tif" in it has 1,000 bytes, and not the 5,000'),
    "wrong checksum": (_wrong_sum, "Bad CRC-32 for file 'a.tif'"),
    "truncated": (
        lambda: zipped({"a.tif": bytes(5000)})[:-30],
        "The archive cannot be read: File is not a zip file.",
    ),
    "cut in front": (lambda: zipped({"a.tif": bytes(range(256)) * 9})[40:], "The archive cannot be read:"),
    "no zip": (lambda: b"II*\0" + bytes(4000), "The archive cannot be read: File is not a zip file."),
    "empty": (lambda: b"", "The archive cannot be read:"),
    "not UTF-8": (
        lambda: zipped({"a_b.tif": b"x"}).replace(b"a_b", b"a\xffb"),
        "has a name that is not UTF-8",
    ),
    "NUL": (_nul, "has a NUL in its name"),
    "deep": (lambda: zipped({"d/" * 40 + "a.tif": b"x"}), "lies in 40 folders (31 at most)"),
    "long names together": (
        lambda: zipped({f"{number}{'n' * 240}/{'m' * 240}": b"" for number in range(13_000)}),
        "the names in it are too long together",
    ),
    "long name": (lambda: zipped({"n" * 300 + ".tif": b"x"}), "has a name that is too long"),
}
"""By name: a zip that is refused, and what is said of it."""

TARS: dict[str, tuple[Build, str]] = {
    "upwards": (lambda: tarred({"../a.tif": b"x"}), '"../a.tif" in it has a name that leads out'),
    "absolute": (lambda: tarred({"/a.tif": b"x"}), "has an absolute name"),
    "symbolic link": (
        lambda: tarred({"a.tif": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "is a link",
    ),
    "hard link": (
        lambda: tarred({"a.tif": b""}, type=tarfile.LNKTYPE, linkname="../x"),
        '"a.tif" in it is a link',
    ),
    "device": (lambda: tarred({"a.tif": b""}, type=tarfile.BLKTYPE), "is a device or a pipe"),
    "pipe": (lambda: tarred({"a.tif": b""}, type=tarfile.FIFOTYPE), "is a device or a pipe"),
    "unknown kind": (lambda: tarred({"a.tif": b""}, type=b"Z"), "is neither a file nor a folder"),
    "sparse": (_sparse, "is a sparse file"),
    "twice": (lambda: tarred({"./a.tif": b"1", "A.tif": b"2"}), "has the name of another member"),
    "giant header": (lambda: _tar_header(7 << 30, b"x"), "one of its headers says that it has"),
    "endless header": (_endless_header, "the headers of one member have no end"),
    "giant member": (lambda: _tar_header(1 << 39, b"0"), "say that they hold more than"),
    "truncated in a member": (lambda: tarred({"a.tif": bytes(5000)})[:2000], "The archive cannot be read:"),
    "truncated between members": (lambda: tarred({"a.tif": bytes(512)})[:1024], 'damaged after "a.tif"'),
    "damaged header": (
        lambda: tarred({"a.tif": bytes(512), "b.tif": b""}).replace(b"b.tif", b"c.tif"),
        'damaged after "a.tif"',
    ),
    "not UTF-8": (
        lambda: (
            tarfile.TarInfo("a\udcff.tif").tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + bytes(1024)
        ),
        "has a name that is not UTF-8",
    ),
    "no tar": (lambda: b"II*\0" + bytes(4000), "The archive cannot be read:"),
}
"""The same of tars."""


def _cut(data: bytes, at: int) -> bytes:
    return data[:at]


COMPRESSED_TARS: dict[str, tuple[Build, str]] = {
    "bomb": (
        lambda: gzip.compress(_tar_header(400 << 20, b"0")[:512]) + _gzipped_zeros(400),
        "say that they hold more than",
    ),
    "bomb after its end": (
        lambda: gzip.compress(tarred({"a.tif": b"x"})) + _gzipped_zeros(400),
        "bytes come out of it, which is more than its own size allows",
    ),
    "truncated": (
        lambda: _cut(gzip.compress(tarred({"a.tif": bytes(5000)})), -9),
        "The archive cannot be read:",
    ),
    "upwards": (lambda: gzip.compress(tarred({"../a.tif": b"x"})), "leads out of the archive"),
    "not compressed": (lambda: tarred({"a.tif": b"x"}), "The archive cannot be read: Not a gzipped file"),
}
"""The same of compressed tars."""
