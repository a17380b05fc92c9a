"""The only place that judges names in a drop folder: which are taken, which belong together, which stay out.

Names are bytes as the file system spells them; nothing here assumes that they are text.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from uploader.core import product_files
from uploader.core.path_text import lossless, raw
from uploader.core.sidecar_table import (
    FORMAT_SIDECARS,
    HEADED,
    HEADER_SIDECARS,
    MIXED_SPELLINGS,
    NAME_SIDECARS,
    RASTER_EXTENSIONS,
    STEM_SIDECARS,
)

NAME_BYTES = 255
"""The longest name that Linux file systems take."""

HIDDEN = b".uploader-"
"""How our own hidden and temporary names in people's folders begin."""

TOKEN = HIDDEN + b"private"
"""A file that says of its folder that it is an archive, a staging or a state directory of ours, and no drop folder."""

IGNORED_PREFIXES = (b".", b"~$", b"@gmt-")
"""Hidden names (among them rsync's `.name.XXXXXX`, `._*`, `.nfs*`, `.fuse_hidden*`), Office's locks, Samba's copies."""

IGNORED_SUFFIXES = tuple(
    b"~ .part .partial .filepart .crdownload .download .opdownload .tmp .temp .swp .lock .!sync .!ut "
    b":zone.identifier".split()
)
"""What browsers, scp and sftp clients, editors and synchronizers append while they write, and what Windows adds."""

IGNORED_NAMES = frozenset(
    b"thumbs.db,desktop.ini,$recycle.bin,recycler,recycled,system volume information,$extend,lost+found,"
    b"network trash folder,temporary items,#recycle,#snapshot,~snapshot,@tmp,@eadir,@recycle,"
    b"@recently-snapshot".split(b",")
)
"""What systems and network storage keep in a share, in lower case: what was deleted there must not become items."""

COPY = "source"
"""The stem of a private copy's name."""

_PLACED = re.compile(rb"([NS]\d\d[EW]\d{3})(?:\.[^/]*)?\.hgt", re.IGNORECASE)

RECEIPT = b".receipt.json"
"""What the name of a receipt adds to that of its source."""

LONGEST_SUFFIX = 24
"""Bytes that are kept free for a suffix when a stem gets a number; longer than any in the tables."""

_ODD = re.compile("[\ud800-\udfff\ufffd]+")
_UNSAFE = re.compile(r"[^\w.+=@-]+|_{2,}")
_STEM_BYTES = 100


def ignored(name: bytes) -> bool:
    """Whether a file or folder of this name is somebody's temporary, hidden or housekeeping matter."""
    lower = name.lower()
    return lower.startswith(IGNORED_PREFIXES) or lower.endswith(IGNORED_SUFFIXES) or lower in IGNORED_NAMES


def matches(path: bytes, include: Iterable[str], exclude: Iterable[str] = ()) -> bool:
    """Whether a path fits one of the shell patterns `include` and none of `exclude`, whatever the case.

    A pattern without a slash is held against the last part of the path, one with a slash against all of it.
    """
    return _fits(path, tuple(include)) and not _fits(path, tuple(exclude))


def _fits(path: bytes, patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return False
    whole, last = _compiled(patterns)
    name = path.rpartition(b"/")[2]
    return bool(last and last.fullmatch(name)) or bool(whole and whole.fullmatch(path))


@lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[bytes] | None, re.Pattern[bytes] | None]:
    """One expression for the patterns with a slash, one for those without."""
    return _union(p for p in patterns if "/" in p), _union(p for p in patterns if "/" not in p)


def _union(patterns: Iterable[str]) -> re.Pattern[bytes] | None:
    # fnmatch translates bytes through Latin-1, so a pattern's UTF-8 stays what it is.
    expressions = [fnmatch.translate(raw(p).decode("latin-1")) for p in patterns]
    if not expressions:
        return None
    return re.compile("|".join(f"(?:{e})" for e in expressions).encode("latin-1"), re.IGNORECASE | re.DOTALL)


def split(name: bytes) -> tuple[bytes, bytes]:
    """Stem and extension (with its dot, may be empty) of a raster's name."""
    stem, dot, extension = name.rpartition(b".")
    return (stem, dot + extension) if dot and stem else (name, b"")


def sidecar_names(raster: bytes) -> Iterator[tuple[bytes, str]]:
    """All names that a sidecar of this raster may have, each with its suffix (see `Sidecar`).

    The list is finite on purpose: one look and a scan of the whole folder must see the same group.
    """
    stem, extension = split(raster)
    for suffix in _suffixes(extension):
        yield stem + suffix, lossless(suffix)
    for found in product_files.of_raster(stem):
        if not _of_stem(raster, found.name):
            yield found.name, product_files.suffix(found.name)


@lru_cache(maxsize=64)
def _suffixes(extension: bytes) -> tuple[bytes, ...]:
    """Suffixes relative to the stem for a raster with this extension, in every accepted spelling."""
    letters = extension[1:].decode("latin-1").lower()
    world = (f".{letters[0]}{letters[-1]}w", f".{letters}w") if extension[1:].isalnum() else ()
    header = () if letters in HEADED else HEADER_SIDECARS
    by_stem = _spelled({*STEM_SIDECARS, *FORMAT_SIDECARS.get(letters, ()), *header, *world})
    by_name = {extension + suffix for suffix in _spelled({*NAME_SIDECARS, *header})} if extension else set()
    return tuple(sorted((by_stem | by_name) - {extension}))


def _spelled(suffixes: set[str]) -> set[bytes]:
    mixed = {s for s in MIXED_SPELLINGS if s.lower() in suffixes}
    return {s.encode("latin-1") for s in {*suffixes, *(s.upper() for s in suffixes), *mixed}}


def sidecar_suffix(raster: bytes, candidate: bytes) -> str | None:
    """The suffix of the candidate if it is a sidecar of the raster, as it is spelled; else None."""
    stem = split(raster)[0]
    if _of_stem(raster, candidate):
        return lossless(candidate[len(stem) :])
    known = any(found.name == candidate for found in product_files.of_raster(stem))
    return product_files.suffix(candidate) if known else None


def _of_stem(raster: bytes, candidate: bytes) -> bool:
    stem, extension = split(raster)
    return candidate.startswith(stem) and candidate[len(stem) :] in _suffix_set(extension)


@lru_cache(maxsize=64)
def _suffix_set(extension: bytes) -> frozenset[bytes]:
    return frozenset(_suffixes(extension))


def owner_stems(name: bytes) -> frozenset[bytes]:
    """The stems, names and products of rasters that a file of this name could be a sidecar of, by its shape alone."""
    lower = name.lower()
    if not lower.endswith(_ENDINGS):
        return frozenset()
    cut = {name[: -len(s)] for s in _SHAPES if lower.endswith(s)} if lower.endswith(_SHAPES) else set()
    stem, extension = split(name)
    if _WORLD.fullmatch(extension):
        cut.add(stem)
    return frozenset({c for c in cut if c} | {split(c)[0] for c in cut if c}) | product_files.sidecar_keys(
        name
    )


def owned(raster: bytes) -> frozenset[bytes]:
    """What `owner_stems` and `marked_by` say of this raster's sidecars and markers."""
    stem = split(raster)[0]
    return product_files.raster_keys(stem) | {raster, stem, ANY}


_SHAPES = tuple(
    suffix.encode()
    for suffix in sorted(
        {*STEM_SIDECARS, *NAME_SIDECARS, *HEADER_SIDECARS, *chain.from_iterable(FORMAT_SIDECARS.values())}
    )
)
_WORLD = re.compile(rb"\.[a-z0-9]+w", re.IGNORECASE)
_ENDINGS = (*_SHAPES, b"w", *product_files.ENDINGS)
"""How the name of every sidecar ends: hardly a raster's does, and a scan asks for each."""


def shares_stem(raster: bytes) -> Iterator[bytes]:
    """Names of other rasters that would use the same `stem.tfw` as this one."""
    stem, own = split(raster)
    for extension in RASTER_EXTENSIONS:
        if b"." + extension.encode() != own:
            yield stem + b"." + extension.encode()


def is_raster(name: bytes) -> bool:
    """Whether a file of this name may be a raster with which another one shares sidecars."""
    return not ignored(name) and split(name)[1][1:].decode("latin-1") in RASTER_EXTENSIONS


def belongs_to_name(raster: bytes, suffix: str) -> bool:
    """Whether a sidecar with this suffix is of this very name (`a.tif.ovr`) and not of the stem (`a.tfw`)."""
    extension = split(raster)[1]
    return bool(extension) and suffix.startswith(lossless(extension) + ".")


def marker(template: str, raster: bytes) -> bytes:
    """The name of the raster's ready marker: `{stem}` and `{name}` stand for what they say."""
    stem, _ = split(raster)
    parts = re.split(r"(\{stem\}|\{name\})", template)
    known = {"{stem}": stem, "{name}": raster}
    return b"".join(known.get(part, raw(part)) for part in parts)


ANY = b"/"
"""Stands for every raster of a folder, where one marker speaks for all of them; no name has a slash."""


def marked_by(template: str, name: bytes) -> frozenset[bytes]:
    """The stems and names of rasters whose ready marker would have this name; `ANY` for all of the folder."""
    pattern, fields = _marker_pattern(template)
    match = pattern.fullmatch(name)
    if match is None:
        return frozenset()
    return frozenset(match.groups()) if fields else frozenset({ANY})


@lru_cache(maxsize=16)
def _marker_pattern(template: str) -> tuple[re.Pattern[bytes], int]:
    parts = re.split(r"\{(?:stem|name)\}", template)
    escaped = [re.escape(raw(part)) for part in parts]
    return re.compile(b"(.+)".join(escaped), re.DOTALL), len(parts) - 1


def copy_stem(raster: bytes) -> str:
    """What the private copy of a raster is called: `source`, unless its name says something that GDAL reads.

    Nothing but its name says where an SRTM tile lies: `n46e008.SRTMGL1.hgt` is copied as `N46E008.hgt`. The sidecars
    of a satellite product are found by the raster's name.
    """
    return placed(raster) or product_files.kept_stem(split(raster)[0]) or COPY


def placed(raster: bytes) -> str:
    """The position of an SRTM tile, which is part of its content; empty for any other raster."""
    found = _PLACED.fullmatch(raster)
    return lossless(found.group(1)).upper() if found else ""


def hidden(name: bytes) -> bytes:
    """The hidden name under which a file of this name waits for its disposal: always the same, never too long."""
    return HIDDEN + hashlib.sha256(name).hexdigest()[:16].encode()


def receipt_name(name: bytes) -> bytes:
    """The name of the receipt beside an archived file of this name: always the same, never too long."""
    if len(name) + len(RECEIPT) <= NAME_BYTES:
        return name + RECEIPT
    tail = b"~" + hashlib.sha256(name).hexdigest()[:8].encode() + RECEIPT
    return _cut(name, NAME_BYTES - len(tail)) + tail


def numbered(stem: bytes, number: int, longest_suffix: int) -> bytes:
    """The stem with `-number` (from 2 on), cut so that it and a suffix of so many bytes make a valid name."""
    if number < 2:  # noqa: PLR2004 - the first keeps its name
        return stem
    tail = b"-%d" % number
    return _cut(stem, NAME_BYTES - longest_suffix - len(tail)) + tail


def _cut(text: bytes, room: int) -> bytes:
    """At most so many bytes, not ending within a UTF-8 character."""
    if len(text) <= room:
        return text
    while room > 0 and text[room] & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8 continuation bytes
        room -= 1
    return text[:room]


def file_name(path: bytes, content: str, extension: str = ".tif") -> str:
    """The name under which a file is uploaded: `<safe stem>-<first 12 hex of the content hash><extension>`.

    The stem is in NFC, at most 100 bytes of letters, digits and `._+=@-`, and never empty.
    """
    stem = _ODD.sub("_", lossless(split(path.rpartition(b"/")[2])[0]))
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", stem)).lstrip("._-").rstrip("._")
    short = lossless(_cut(safe.encode(), _STEM_BYTES)).rstrip("._")
    return f"{short or 'raster'}-{content[:12]}{extension}"
