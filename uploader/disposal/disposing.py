"""The dance of a disposal: hide, look again, then archive or delete, or put back.

Each step can be repeated after a kill, as what was done before is read from where the files lie:

    raster visible and untouched          nothing was done yet: check the group, hide it
    raster hidden                         look again, hide the rest, go on; or put everything back
    raster neither, hidden folder there   past the point of no return: finish
    raster in the archive                 finish
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from uploader.core import naming, product_files
from uploader.core.errors import LocalError, SourceChanged, SourceUnreadable
from uploader.core.model import Sighting
from uploader.core.path_text import lossless, raw, shown
from uploader.disposal import hiding
from uploader.disposal.archive import Archive, open_archive
from uploader.disposal.hiding import HiddenFile, answers, same, untouched
from uploader.disposal.moving_files import moving
from uploader.system import files as fs
from uploader.system.failpoints import failpoint
from uploader.system.leases import held_by_writer


@dataclass(frozen=True, slots=True)
class Disposed:
    """What became of a source: kept, archived, deleted, missing, or replaced (it is another file now, left alone).

    `where` is the archived raster's path, or where a replaced one had to be put back under another name.
    """

    outcome: str
    where: bytes = b""


@dataclass(slots=True)
class _Work:
    """One disposal: the group, and the open folders it may lie in. `hidden` and `archive` may be absent."""

    sighting: Sighting
    group: list[HiddenFile]
    visible: int
    stop: threading.Event
    archive: Archive | None = None
    hidden: int | None = field(default=None)
    alone: bool = False
    """It passed through as it is: what lies beside it under its stem is not its own."""

    @property
    def raster(self) -> HiddenFile:
        return self.group[0]


def dispose(
    policy: str,
    sighting: Sighting,
    archive_dir: Path | None,
    stop: threading.Event,
    *,
    alone: bool = False,
    receipt: bytes | None = None,
) -> Disposed:
    """Archive or delete the group that was uploaded; `sighting` is how it was claimed. `policy` is the folder's.

    `alone`: it passed through as it is, and a file beside it is no sidecar that came later. `receipt`: what is to lie
    beside an archived raster.

    Blocking; may be called again after a crash at any point, and then goes on. Raises SourceUnreadable where the drop
    folder is not there, SourceChanged while somebody has the raster open for writing, NoSpace, LocalError, OSError,
    and Interrupted soon after `stop` is set; after any of these a repeat is safe, and nothing is lost.
    """
    if policy == "keep":
        return Disposed("kept")
    with ExitStack() as stack:
        try:
            visible = stack.enter_context(_folder_of(sighting))
        except FileNotFoundError:
            return Disposed("missing")
        work = _Work(sighting, hiding.members(sighting), visible, stop, alone=alone)
        if policy == "archive":
            if archive_dir is None:
                raise LocalError("There is no archive folder.", "Set archive_dir for the drop folder.")
            opened = open_archive(str(archive_dir), sighting.folder, sighting.path, visible, receipt)
            work.archive = stack.enter_context(opened)
        work.hidden = hiding.open_hidden(work.raster.name, visible)
        stack.callback(_close_hidden, work)
        if work.hidden is not None:
            hiding.finish_hiding(work.hidden, visible)
        done = _dispose(work)
        if work.archive is not None and done.outcome != "archived":
            work.archive.forget(work.group)
        return done


@contextmanager
def _folder_of(sighting: Sighting) -> Iterator[int]:
    """The raster's folder. Raises FileNotFoundError where only a subfolder is gone: with it went the raster."""
    root = raw(sighting.folder)
    if not Path(sighting.folder).is_dir():
        raise SourceUnreadable(f"The folder {sighting.folder} is not there.", "Mount it, or create it again.")
    with fs.directory(root, sighting.path.rpartition(b"/")[0]) as fd:
        yield fd


def _close_hidden(work: _Work) -> None:
    if work.hidden is not None:
        os.close(work.hidden)


def _dispose(work: _Work) -> Disposed:
    """Tell from where the files lie what is to be done next."""
    seen = fs.lstat_regular(work.raster.name, work.visible)
    if untouched(seen, work.raster.fingerprint):
        return _begin(work)
    if work.hidden is not None and fs.lstat_regular(work.raster.name, work.hidden) is not None:
        return _go_on(work)
    if work.hidden is not None and fs.listing(work.hidden):
        return _finish(work)
    # The raster itself may lie here with only its change time moved on, as a power cut that undid our renaming leaves
    # it on some disks. Whatever the archive has, the raster has to go as well, so it is looked at again first.
    if work.archive is not None and not same(seen, work.raster.fingerprint):
        number = work.archive.find(work.group, None)
        if number is not None:
            work.archive.place_receipt(work.group, number)
            return _end(work, "archived", work.archive.where(work.group, number))
    if seen is None:
        return _absent(work)
    hiding.remove_hidden(naming.hidden(work.raster.name), work.visible)
    return Disposed("replaced")


def _absent(work: _Work) -> Disposed:
    """The raster is nowhere: deleted by us or by somebody, or its file system is."""
    if work.hidden is not None and work.archive is None:
        return _end(work, "deleted")
    if os.fstat(work.visible).st_dev != work.raster.fingerprint.device:
        raise SourceUnreadable(
            f"{work.sighting.folder} is another file system than it was.", "Mount the one with the sources."
        )
    return _end(work, "missing")


def _begin(work: _Work) -> Disposed:
    """Nothing was done yet: hide the raster, if the group is still as it was uploaded."""
    if not _group_untouched(work):
        return Disposed("replaced")
    if held_by_writer(work.raster.name, work.visible):
        raise SourceChanged(
            f"{shown(work.raster.name)} is open for writing.", "It is left alone until it is closed."
        )
    if work.archive is not None and not work.archive.renaming:
        work.archive.copy(
            moving(work.group, work.visible, work.hidden),
            dict.fromkeys((m.name for m in work.group), work.visible),
            work.stop,
        )
    _record(work)
    if work.hidden is None:
        work.hidden = hiding.make_hidden(work.raster.name, work.visible)
    failpoint("dispose.made")
    try:
        fs.rename_noreplace(work.raster.name, work.visible, work.raster.name, work.hidden)
    except FileNotFoundError:
        return _end(work, "missing")
    failpoint("dispose.hidden")
    return _looked_again(work)


def _record(work: _Work) -> None:
    """The receipt is on the disk of the archive before the raster leaves its folder, or its hidden one."""
    if work.archive is not None and work.archive.receipt is not None:
        work.archive.receipt.record()


def _group_untouched(work: _Work) -> bool:
    """Whether every sidecar that is part of the content is as it was, and none has come."""
    needed = [member for member in work.group[1:] if member.needed]
    if not all(untouched(fs.lstat_regular(m.name, work.visible), m.fingerprint) for m in needed):
        return False
    if work.alone:
        return True
    found = {
        suffix: any(answers(member, name, seen) for member in work.group)
        for name, suffix in naming.sidecar_names(work.raster.name)
        if (seen := fs.lstat_regular(name, work.visible)) is not None
    }
    counting = product_files.counting(naming.split(work.raster.name)[0], found)
    return all(known for suffix, known in found.items() if suffix in counting)


def _go_on(work: _Work) -> Disposed:
    """The raster was hidden before a crash: copy what a copying archive has not got, and go on."""
    archive = work.archive
    if archive is not None and not archive.renaming:
        where = {
            member.name: folder
            for member in moving(work.group, work.visible, work.hidden)
            if (folder := _lies(work, member)) is not None
        }
        archive.copy(archive.lacking(work.group, where), where, work.stop)
    _record(work)
    return _looked_again(work)


def _lies(work: _Work, member: HiddenFile) -> int | None:
    """The folder that a member lies in now."""
    places = [fd for fd in (work.hidden, work.visible) if fd is not None]
    return next((fd for fd in places if fs.lstat_regular(member.name, fd) is not None), None)


def _looked_again(work: _Work) -> Disposed:
    """The raster is hidden. If it and its sidecars are what was uploaded, hide them too; else put all back."""
    hidden = _hidden(work)
    unchanged = same(fs.lstat_regular(work.raster.name, hidden), work.raster.fingerprint)
    if not unchanged or held_by_writer(work.raster.name, hidden) or not _gather(work):
        return _put_back(work)
    failpoint("dispose.gathered")
    return _finish(work)


def _gather(work: _Work) -> bool:
    """Hide the sidecars that go with the raster; False where one is not what was uploaded."""
    return all(_hide(work, member) for member in moving(work.group, work.visible, work.hidden)[1:])


def _hide(work: _Work, member: HiddenFile) -> bool:
    hidden = _hidden(work)
    if fs.lstat_regular(member.name, hidden) is None:
        seen = fs.lstat_regular(member.name, work.visible)
        if seen is not None and not same(seen, member.fingerprint):
            return False
        try:
            fs.rename_noreplace(member.name, work.visible, member.name, hidden)
        except FileNotFoundError:
            # Another raster of the product took it along, as the last one that was to be seen.
            return product_files.is_product(lossless(member.suffix))
    return same(fs.lstat_regular(member.name, hidden), member.fingerprint)


def _put_back(work: _Work) -> Disposed:
    """It is not what was uploaded: everything comes back, and settles anew as what it is now."""
    name = hiding.restore(work.raster.name, _hidden(work), work.visible)
    hiding.remove_hidden(naming.hidden(work.raster.name), work.visible)
    return Disposed("replaced", b"" if name == work.raster.name else name)


def _finish(work: _Work) -> Disposed:
    """The whole group is hidden, or what is left of it: archive or delete it."""
    hidden, where = _hidden(work), b""
    if work.archive is not None:
        # What stays with another raster must not give this one a number by its name.
        there = [m for m in work.group[1:] if fs.lstat_regular(m.name, hidden) is not None]
        where = work.archive.where(work.group, work.archive.move([work.raster, *there], hidden))
        work.archive.forget(work.group)  # what another raster of the product has taken along meanwhile
        failpoint("dispose.arrived")
    for member in work.group:
        if same(fs.lstat_regular(member.name, hidden), member.fingerprint):
            os.unlink(member.name, dir_fd=hidden)
            failpoint("dispose.unlinked")
    if fs.listing(hidden):
        # Not ours: somebody put it there by hand.
        hiding.restore(work.raster.name, hidden, work.visible)
    fs.sync_names(hidden)
    failpoint("dispose.emptied")
    return _end(work, "archived" if work.archive is not None else "deleted", where)


def _end(work: _Work, outcome: str, where: bytes = b"") -> Disposed:
    hiding.remove_hidden(naming.hidden(work.raster.name), work.visible)
    failpoint("dispose.done")
    return Disposed(outcome, where)


def _hidden(work: _Work) -> int:
    if work.hidden is None:
        raise LocalError("The hidden folder of a disposal is gone.", "It is tried again.")
    return work.hidden
