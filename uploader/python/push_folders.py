"""How the paths of a push become drop folders, such that the same file is the same file again next time.

The journal knows a file by its folder and its path below it. So that it is the same whether it was named itself, by a
pattern of the shell, or by a folder above it, each directory is a drop folder of its own, flat.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.config import Folder
from uploader.core import naming
from uploader.core.archives import kind_of
from uploader.core.errors import ConfigurationError
from uploader.core.model import FileState
from uploader.core.path_text import is_text, lossless, raw, shown
from uploader.core.sidecar_table import HEADED
from uploader.folders import FolderSpec, look
from uploader.journal import FILE_NAME, Journal
from uploader.journal.queries import latest, rejected_paths, tracked
from uploader.journal.rows import encode_sighting
from uploader.system.locks import hold_locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

RASTERS = frozenset(f".{ending}" for ending in (*HEADED, "img", "dat", "bsq", "bil", "bip"))
"""Endings of what is converted; a file with another ending is sent as it is, unless it is an archive that is opened."""
PATTERNS: tuple[str, ...] = Folder.model_fields["include"].default
"""What is taken of a directory, and of an archive, that is named as a whole."""
IN_ARCHIVES = tuple(f"*/{pattern}" for pattern in PATTERNS)
"""The same for archives that are named beside files: nothing else in a flat folder has a slash in its path."""
MOST_FOLDERS = 200
"""Directories that are watched one by one; a larger tree, or one with names that are no text, is watched as one."""
GLOB = "[?*"
"""Characters that a pattern gives a meaning to."""


def folders_of(paths: Sequence[Path], project: str, collection: str) -> Iterator[Folder]:
    """Yield the drop folders for these paths: directories with all below them, of others the named files only."""

    def folder(path: Path, files: Iterable[str], *, whole: bool = False, recursive: bool = False) -> Folder:
        if not is_text(str(path)):
            why = "is not UTF-8; rename that folder, or push the folder above it"
            raise ConfigurationError(f"The name of the folder {shown(str(path))} {why}.")
        converted, passed = _split(files)
        return Folder(
            path=path,
            project_id=project,
            collection_id=collection,
            recursive=recursive,
            include=(*(PATTERNS if whole else ()), *converted),
            passthrough=passed,
            settle_seconds=1.0,
            rescan_seconds=3600.0,
            polling="always",
        )

    named: dict[Path, list[str]] = {}
    for path in paths:
        if not path.is_dir():
            named.setdefault(path.absolute().parent.resolve(), []).append(path.name)
    tops = [path.resolve() for path in paths if path.is_dir()]
    for top in [one for one in tops if not any(other in one.parents for other in tops)]:
        below = list(islice(_directories(top), MOST_FOLDERS + 1))
        # The name of a drop folder is text; below one, names are bytes.
        if len(below) <= MOST_FOLDERS and all(is_text(str(path)) for path in below):
            for path in below:
                yield folder(path, named.pop(path, ()), whole=True)
        else:
            inside = [path for path in named if path.is_relative_to(top)]
            yield folder(
                top, [name for path in inside for name in named.pop(path)], whole=True, recursive=True
            )
    for path, files in sorted(named.items()):
        yield folder(path, files)


def _directories(top: Path) -> Iterator[Path]:
    """Yield a directory and those below it that are not hidden, without following links."""
    for path, below, _ in os.walk(top):
        below[:] = sorted(name for name in below if not naming.ignored(os.fsencode(name)))
        yield Path(path)


def _split(files: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write patterns for file names: of what is converted, in archives too, and of what is sent as it is."""
    converted, passed, below = list[str](), list[str](), list[str]()
    for name in dict.fromkeys(files):
        pattern = exactly(name)
        opened = bool(kind_of(raw(name)))
        (converted if opened or Path(name).suffix.lower() in RASTERS else passed).append(pattern)
        below += IN_ARCHIVES if opened else ()
    return (*converted, *dict.fromkeys(below)), tuple(passed)


def exactly(name: str) -> str:
    """Write a pattern that means this very name; bytes that are not UTF-8 can only be said as "any character"."""
    return "".join(f"[{c}]" if c in GLOB else "?" if "\udc80" <= c <= "\udcff" else c for c in name)


async def with_earlier(
    state_dir: Path, folders: Sequence[Folder], named: Callable[[str], bool]
) -> list[Folder]:
    """Reconcile what earlier pushes know of these folders with what is asked now; returns the folders to watch.

    A file that was pushed before stays in sight though it is not named now, so that it does not seem to have vanished.
    One that is gone, or has changed and is not named, is forgotten: it would be new if it were pushed again. One that
    was rejected and is named is tried again, as its reason may be gone.
    """
    if not (state_dir / FILE_NAME).exists():
        return list(folders)
    with hold_locks(state_dir, ()):
        journal = Journal(state_dir)
        try:
            known = [await _reconciled(journal, folder) for folder in folders]
            await _retried(journal, named)
            return known
        finally:
            journal.close()


async def _retried(journal: Journal, named: Callable[[str], bool]) -> None:
    """Try rejected files again; not while a session is held, to which a retry says that its items do not exist."""
    status = await journal.status()
    if not any(hold["cause"] == "session_unclear" for hold in status["holds"]):
        rejected = await journal.read(rejected_paths)
        await journal.retrying.retried([path for path in rejected if named(shown(path))])


async def _reconciled(journal: Journal, folder: Folder) -> Folder:
    name, spec = str(folder.path), FolderSpec(folder)
    believed = await journal.read(lambda db: tracked(db, name))
    seen = await journal.read(lambda db: latest(db, name, list(believed)))
    kept, gone = [], []
    for path in believed:
        mine = spec.wants(path)
        file = lossless(path)
        found = look(spec if mine else FolderSpec(_widened(folder, [exactly(file)])), path)
        if found is None or not (mine or encode_sighting(found) == seen[path][2]):
            gone.append(path)
        elif not mine:
            kept.append(file)
    settling = [believed[path][0] for path in gone if believed[path][1] == FileState.SETTLING]
    await journal.files.vanished(settling)
    await journal.files.forgotten(name, [path for path in gone if believed[path][0] not in settling])
    converted, passed = _split(kept)
    return _widened(folder, converted, passed)


def _widened(folder: Folder, include: Iterable[str], passthrough: Iterable[str] = ()) -> Folder:
    """Take files by these patterns as well."""
    return folder.model_copy(
        update={
            "include": (*folder.include, *include),
            "passthrough": (*folder.passthrough, *passthrough),
        }
    )
