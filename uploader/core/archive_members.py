"""Which files of an archive are rasters to take, and what belongs to each: by their names, as in a drop folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from uploader.core import naming
from uploader.core.archives import ArchiveEntry, is_archive, kind_of
from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.core.plurals import count_of

Names = Callable[[bytes], bool]
"""Whether a path below the drop folder is one of these."""


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A raster of an archive as it is to be a file: how it would be sighted, and the numbers of its parts.

    The parts are in the order of `core.file_group.parts`, the raster's own first.
    """

    sighting: Sighting
    numbers: tuple[int, ...]


def selected(
    entries: Iterable[ArchiveEntry], archive: Sighting, *, takes: Names, passes: Names
) -> list[MemberFile]:
    """The rasters to take, each with its sidecars, at paths as if the archive were a folder.

    `takes` are the paths that its folder's rules name, `passes` those that are sent as they are, with nothing beside.
    """
    folders: dict[bytes, dict[bytes, ArchiveEntry]] = {}
    for entry in entries:
        *above, name = entry.name.encode().split(b"/")
        if not any(naming.ignored(part) for part in (*above, name)):
            folders.setdefault(b"/".join((archive.path, *above)), {})[name] = entry
    return [
        found
        for directory, files in folders.items()
        for found in _in_folder(directory, files, archive, takes, passes)
    ]


NAME_OTHERS = (
    "Where others are wanted, add patterns to `include`, or a rule to the folder's scenes, that fit their names, and "
    "`uploader retry`; for `uploader push` unpack it, and name them."
)
"""The way out of an archive of which nothing is taken."""


def nothing_taken(entries: Sequence[ArchiveEntry], patterns: Iterable[str]) -> str:
    """Why an archive of these files is refused of which none is taken; no `patterns`: rules of scenes say what is."""
    wanted = [pattern for pattern in patterns if not kind_of(pattern.encode())]
    why = f"no name fits {', '.join(wanted)}" if wanted else "no rule of the folder's scenes fits"
    more = f" {inner}." if (inner := _inner(entries)) else ""
    return f"The archive holds {count_of(len(entries), 'file')}, and none that is to be taken: {why}.{more}"


def taken(entries: Sequence[ArchiveEntry], found: Sequence[MemberFile]) -> str:
    """How many of the files of an archive are taken, and what in it is not opened."""
    note = f"{count_of(len(found), 'raster')} of {count_of(len(entries), 'file')}"
    return f"{note}; {inner}" if (inner := _inner(entries)) else note


def _inner(entries: Sequence[ArchiveEntry]) -> str:
    number = sum(is_archive(entry.name.encode()) for entry in entries)
    return (
        f"{count_of(number, 'archive')} in it {'is' if number == 1 else 'are'} not opened" if number else ""
    )


def _in_folder(
    directory: bytes, files: dict[bytes, ArchiveEntry], archive: Sighting, takes: Names, passes: Names
) -> Iterator[MemberFile]:
    wanted = {name for name in files if takes(directory + b"/" + name)}
    whole = {name for name in wanted if passes(directory + b"/" + name)}
    owners = {key for name in wanted - whole if not naming.owner_stems(name) for key in naming.owned(name)}
    for name in sorted(wanted):
        if not owners.isdisjoint(naming.owner_stems(name)):
            continue  # a sidecar of another one
        possible = () if name in whole else naming.sidecar_names(name)
        beside = sorted((other, suffix) for other, suffix in possible if other in files)
        sidecars = tuple(Sidecar(other, suffix, _as_of(archive, files[other])) for other, suffix in beside)
        seen = Sighting(archive.folder, directory + b"/" + name, _as_of(archive, files[name]), sidecars)
        yield MemberFile(seen, (files[name].number, *(files[other].number for other, _ in beside)))


def _as_of(archive: Sighting, entry: ArchiveEntry) -> Fingerprint:
    """A file of an archive is what its archive is, and has its own size."""
    whole = archive.fingerprint
    return Fingerprint(whole.device, whole.inode, entry.size, whole.mtime_ns, whole.ctime_ns)
