"""Everything that can hold work back, brought about for real and taken back: one block for each cause.

A trouble is a context manager over a `Stage`: it plants its fault as the block begins, so that a hold of its scope and
cause follows, and mends it, by the way out that the hold names, as the block ends. Troubles of one lane come one after
another; those of different lanes come and go at once.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from tests.support import mounts, preload, tasks
from tests.support.live import Live, control
from tests.support.preload import Board, Calls
from tests.support.rasters import make
from uploader.core.naming import TOKEN
from uploader.core.path_text import lossless

QUOTA = 100 << 30
NUMBERS = count(1)


@dataclass
class Stage:
    """The daemon, and what troubles are made with. The board has one fault at a time, and so has the sandbox."""

    d: Live
    board: Board
    folders: dict[str, Path]
    group: tasks.Group | None = None
    """Whose processes the daemon's are, where such a group can be made."""
    switches: threading.Lock = field(default_factory=threading.Lock)
    """Held while the board's one fault is planted."""
    tries: threading.Lock = field(default_factory=threading.Lock)
    """Held while nobody may try again what is held: that would end, and begin again, the hold that waits for it."""

    def drop(self, folder: str, *, name: str = "", kind: str = "dem_nodata", size: int = 64) -> Path:
        """A new raster in one of the drop folders, by rename."""
        number = next(NUMBERS)
        hidden = self.d.w.root / f"{number}.part"
        make(kind, hidden, size=size, seed=number)
        path = self.folders[folder] / (name or f"{number}.tif")
        shutil.copyfile(hidden, path.with_name(f".{path.name}.part"))
        path.with_name(f".{path.name}.part").rename(path)
        hidden.unlink()
        return path

    def command(self, *words: str) -> None:
        """What an operator types."""
        self.d.w.command(words[0], "-c", str(self.d.w.config), *words[1:], check=0)

    def configure(self, key: str, value: object) -> None:
        """Write a key of `[transfer]`, and have the configuration read again."""
        assert self.d.process is not None
        self.d.w.settings["transfer"][key] = value
        self.d.w.write_config()
        self.d.process.send_signal(signal.SIGHUP)

    def try_now(self) -> None:
        """The way out of whoever does not want to wait."""
        with self.tries:
            self.command("retry", "--held")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cause, its scope, and how it comes about. `subject` is a folder's name where the hold is a folder's."""

    scope: str
    cause: str
    lane: str
    plant: Callable[[Stage], AbstractContextManager[None]]
    subject: str | None = ""
    """None: not known before."""
    missing: Callable[[], str] = str
    """Why this machine cannot do it; empty where it can."""
    short: bool = False
    """It belongs into the suite."""
    once: bool = False
    """It can come about once, and comes before the others of its lane."""


TROUBLES: list[Trouble] = []


def trouble(
    scope: str, cause: str, lane: str, **more: Any
) -> Callable[[Callable[[Stage], Iterator[None]]], None]:
    """Enter a block into the table. It is mended also where it was not told in time: others come after it."""

    def enter(block: Callable[[Stage], Iterator[None]]) -> None:
        def plant(stage: Stage) -> Iterator[None]:
            steps = block(stage)
            next(steps)
            try:
                yield
            finally:
                next(steps, None)

        TROUBLES.append(Trouble(scope, cause, lane, contextmanager(plant), **more))

    return enter


@trouble("platform", "key_refused", "platform", short=True)
def revoked_key(s: Stage) -> Iterator[None]:
    """The key is revoked with all its tokens; another one is put into its place."""
    key = s.d.w.root / "key"
    control(s.d.w, "keys", {"secret": key.read_text(), "revoked": True})
    s.drop("main")
    yield
    fresh = f"gpra_soak_key_{next(NUMBERS):08d}"
    control(s.d.w, "keys", {"secret": fresh})
    key.write_text(fresh)
    s.try_now()


@trouble("platform", "key_scope_missing", "platform", short=True)
def narrow_key(s: Stage) -> Iterator[None]:
    """A key that may read and not upload, and then one that may."""
    key = s.d.w.root / "key"
    for scopes in (["items:read"], ["*"]):
        old, fresh = key.read_text(), f"gpra_soak_key_{next(NUMBERS):08d}"
        control(s.d.w, "keys", {"secret": fresh, "scopes": scopes})
        key.write_text(fresh)
        control(s.d.w, "keys", {"secret": old, "revoked": True})
        if scopes != ["*"]:
            s.drop("main")
            yield
    s.try_now()


@trouble("platform", "platform_unreachable", "platform")
def outage(s: Stage) -> Iterator[None]:
    """The platform answers with 503."""
    s.d.fault("*", status=503, count=None)
    s.drop("main")
    yield
    s.d.behave()


@trouble("platform", "store_unreachable", "platform")
def store_outage(s: Stage) -> Iterator[None]:
    """The object store answers with 503."""
    s.d.fault("store.put", status=503, count=None)
    s.drop("main")
    yield
    s.d.behave()


@trouble("organization", "quota", "platform", short=True)
def used_up_quota(s: Stage) -> Iterator[None]:
    """The quota is used up, and enlarged."""
    control(s.d.w, "quota", {"quota_bytes": 1})
    s.drop("main")
    yield
    control(s.d.w, "quota", {"quota_bytes": QUOTA})
    s.try_now()


@trouble("target", "target_refused", "platform", subject="p-1")
def refused_target(s: Stage) -> Iterator[None]:
    """A project that the key's owner may not write to, and then may."""
    s.d.fault("uploads.initiate", status=403, body="problem", count=None)
    s.drop("main")
    yield
    s.d.behave()
    s.try_now()


@trouble("target", "sessions_lost", "platform", subject="p-1", short=True)
def lost_sessions(s: Stage) -> Iterator[None]:
    """The platform forgets every session, two of this target in a row among them."""
    s.d.fault("uploads.signed_url", "lose_session", status=404, count=None)
    s.drop("main")
    yield
    s.d.behave()
    s.try_now()


@trouble("session", "session_unclear", "platform", subject=None)
def unclear_session(s: Stage) -> Iterator[None]:
    """`complete` is refused as if it had been done, and no item is to be seen."""
    s.d.fault("uploads.complete", status=409, count=1)
    s.drop("main")
    s.d.w.wait(s.d.struck, "complete is refused")
    with s.tries:
        with s.switches:
            name = s.d.w.wait(lambda: _waits_for_a_person(s, "session_unclear"), "it is looked for in vain")
        yield
        s.d.behave()
        s.command("retry", *_files_of(s, name))


def _waits_for_a_person(s: Stage, cause: str) -> str:
    """The subject of a hold that does not go on by itself any more, or empty; time goes by."""
    s.board.elapse(61)
    time.sleep(0.5)
    found = (hold for hold in s.d.status()["holds"] if (hold["cause"], hold["until"]) == (cause, None))
    return next((str(hold["subject"]) for hold in found), "")


def _files_of(s: Stage, upload_id: str) -> list[str]:
    """The files of a session: whichever was completed first was refused, of whatever folder."""
    sql = (
        "SELECT f.folder || '/' || CAST(f.path AS TEXT) FROM files f JOIN sessions s ON s.id = f.session_id "
        "WHERE s.upload_id = ?"
    )
    with closing(sqlite3.connect(s.d.w.state / "journal.sqlite")) as db:
        return [path for (path,) in db.execute(sql, (upload_id,))]


@trouble("file", "file_exceeds_quota", "platform", subject=None, short=True)
def large_file(s: Stage) -> Iterator[None]:
    """One file alone needs more than the quota has, and a small one passes."""
    used = control(s.d.w, "state", None, "GET")["used_bytes"]
    control(s.d.w, "quota", {"quota_bytes": used + 400_000})
    large = s.drop("main", kind="rgb_striped", size=800)
    s.d.w.wait(lambda: _is_refused(s, large), "the quota refuses it", seconds=300.0)
    s.drop("main")
    s.d.w.wait(lambda: s.try_now() or _holds(s, "file_exceeds_quota"), "a small one passes", seconds=300.0)
    yield
    control(s.d.w, "quota", {"quota_bytes": QUOTA})
    s.try_now()


def _holds(s: Stage, cause: str) -> bool:
    return any(hold["cause"] == cause for hold in s.d.w.status()["holds"])


def _is_refused(s: Stage, path: Path) -> bool:
    """Whether a file has a hold of its own, whether it is told or not."""
    sql = "SELECT count(*) FROM files WHERE path = CAST(? AS BLOB) AND hold != ''"
    with closing(sqlite3.connect(s.d.w.state / "journal.sqlite")) as db:
        return bool(db.execute(sql, (path.name,)).fetchone()[0])


@trouble("folder", "folder_missing", "folder", subject="ill", short=True)
def missing_folder(s: Stage) -> Iterator[None]:
    """The folder is away, and comes back with a file in it."""
    away = s.folders["ill"].with_name("away")
    s.folders["ill"].rename(away)
    yield
    away.rename(s.folders["ill"])


@trouble("folder", "folder_taken", "folder", subject="ill", short=True)
def taken_folder(s: Stage) -> Iterator[None]:
    """Another one lies in its place, whose lock another daemon has."""
    with replaced(s) as folder:
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with in_place(s, folder):
            yield
        os.close(lock)


@trouble("folder", "folder_foreign", "folder", subject="ill", short=True)
def foreign_folder(s: Stage) -> Iterator[None]:
    """Another one lies in its place, which bears the mark of another journal."""
    with replaced(s) as folder:
        os.setxattr(folder, "user.uploader.journal", b"0123456789abcdef /elsewhere")
        with in_place(s, folder):
            yield


@contextmanager
def replaced(s: Stage) -> Iterator[Path]:
    """A folder to be put into the drop folder's place."""
    other = s.folders["ill"].with_name("other")
    other.mkdir()
    yield other
    other.rmdir()


@contextmanager
def in_place(s: Stage, other: Path) -> Iterator[None]:
    """It lies in the drop folder's place."""
    away = s.folders["ill"].with_name("away")
    s.folders["ill"].rename(away)
    other.rename(s.folders["ill"])
    yield
    s.folders["ill"].rename(other)
    away.rename(s.folders["ill"])


@trouble("folder", "folder_overlap", "folder", subject="ill", short=True)
def shown_archive(s: Stage) -> Iterator[None]:
    """A copy of an archive lies in the folder."""
    token = s.folders["ill"] / lossless(TOKEN)
    shutil.copyfile(s.d.w.state / lossless(TOKEN), token)
    yield
    token.unlink()


@trouble("folder", "folder_mute", "folder", subject="ill", missing=preload.missing)
def mute_folder(s: Stage) -> Iterator[None]:
    """Nothing that is asked of it returns, as on a hard mount."""
    with s.switches:
        s.board.hang(str(s.folders["ill"]))
        yield
        s.board.heal()


@trouble("folder", "folder_unreadable", "folder", subject="ill", missing=preload.missing)
def unreadable_files(s: Stage) -> Iterator[None]:
    """None of five files of a part can be read."""
    part = s.folders["ill"] / f"sick-{next(NUMBERS)}"
    part.mkdir()
    with s.switches:
        s.board.fail(errno.EIO, "sick-", Calls.READ)
        for number in range(5):
            s.drop("ill", name=f"{part.name}/sick-{number}.tif")
        yield
        s.board.heal()
    s.try_now()


@trouble("folder", "folder_partly_missing", "folder", subject="ill", missing=mounts.missing, short=True)
def unmounted_part(s: Stage) -> Iterator[None]:
    """A file waits in a part that is unmounted."""
    disk, below = s.d.w.root / "disk", s.folders["ill"] / "below"
    with mounts.tmpfs(disk):
        mounts.bind(disk, below)
        try:
            s.command("pause", str(s.folders["ill"]))
            inside = s.drop("ill", name="inside.tif")
            shutil.copyfile(inside, below / "waits.tif")
            s.d.w.wait(lambda: s.d.status()["files"]["settling"] >= 2, "it is known")
            time.sleep(2.0)
            mounts.unmount(below)
            yield
            mounts.bind(disk, below)
            s.command("resume", str(s.folders["ill"]))
            is_there = lambda: any(row["path"] == str(below / "waits.tif") for row in s.d.w.items())  # noqa: E731
            s.d.w.wait(is_there, "its item, as soon as the other troubles let it through", seconds=300.0)
        finally:
            mounts.unmount(below)


@trouble("folder", "paused", "folder", subject="ill", short=True)
def paused_folder(s: Stage) -> Iterator[None]:
    """A person pauses the folder, and resumes it."""
    s.command("pause", str(s.folders["ill"]))
    yield
    s.command("resume", str(s.folders["ill"]))


@trouble("stage", "daily_limit", "machine", subject="put")
def limited_day(s: Stage) -> Iterator[None]:
    """A limit that was reached long ago is configured, and taken back."""
    s.configure("daily_limit", 1)
    s.drop("main")
    yield
    s.configure("daily_limit", "")


@trouble("machine", "paused", "machine")
def paused_daemon(s: Stage) -> Iterator[None]:
    """A person pauses everything, and resumes it."""
    s.command("pause")
    yield
    s.command("resume")


@trouble("file", "mistake", "machine", subject=None, once=True)
def planted_mistake(s: Stage) -> Iterator[None]:
    """The daemon was started with two mistakes in the disposal of sources."""
    s.drop("archived")
    yield


@trouble("file", "source_stays", "machine", subject=None, missing=mounts.missing)
def read_only_archive(s: Stage) -> Iterator[None]:
    """The archive is read-only for a while."""
    archive = s.d.w.root / "vault"
    mounts.remount(archive, "ro")
    s.drop("archived")
    yield
    mounts.remount(archive, "rw")
    s.try_now()


@trouble("staging", "staging_full", "machine", missing=mounts.missing)
def full_staging(s: Stage) -> Iterator[None]:
    """Staging has no room for a conversion."""
    filler = mounts.fill(s.d.w.root / "copies")
    s.drop("main")
    yield
    filler.unlink()


@trouble("staging", "staging_unusable", "machine", missing=mounts.missing)
def read_only_staging(s: Stage) -> Iterator[None]:
    """Staging is read-only for a while."""
    mounts.remount(s.d.w.root / "copies", "ro")
    s.drop("main")
    yield
    mounts.remount(s.d.w.root / "copies", "rw")


@trouble("journal", "journal_slow", "machine")
def locked_journal(s: Stage) -> Iterator[None]:
    """Another program keeps the journal locked."""
    with closing(sqlite3.connect(s.d.w.state / "journal.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with suppress(OSError):
            s.drop("main")
        yield


@trouble("machine", "machine_short", "machine", missing=tasks.missing)
def short_machine(s: Stage) -> Iterator[None]:
    """The machine has no more processes to give."""
    assert s.group is not None
    kill_children(s)
    s.group.limit(s.group.tasks)
    s.drop("main")
    yield
    s.group.limit(None)


@trouble("machine", "converter_broken", "machine", short=True)
def broken_converter(s: Stage) -> Iterator[None]:
    """Whatever is started to convert is killed before it is there."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.02):
            kill_children(s)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        s.drop("main")
        yield
    finally:
        over.set()
        thread.join()


def kill_children(s: Stage) -> None:
    """The zygotes that wait for work, and what they have made."""
    assert s.d.process is not None
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(s.d.process.pid).children(recursive=True):
            child.kill()


@trouble("stage", "stalled", "machine", subject=None, missing=preload.missing)
def hung_archive(s: Stage) -> Iterator[None]:
    """The archive's disk does not answer for more than five minutes."""
    with s.switches:
        before = s.board.hung
        s.board.hang(str(s.d.w.root / "vault"))
        s.drop("archived")
        s.d.w.wait(lambda: s.board.hung > before and _disposes(s), "the archive hangs")
        s.board.elapse(400)
        s.board.hang(str(s.d.w.root / "vault"))
        yield
        s.board.heal()


def _disposes(s: Stage) -> bool:
    """Whether a source is being put away: others look at the archive's disk as well."""
    return any(stage["stage"] == "dispose" and stage["running"] for stage in s.d.w.status()["stages"])
