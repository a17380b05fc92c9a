"""What the effects work with."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import anyio

from uploader.activity import Activity
from uploader.config import Folder, Settings
from uploader.convert import ArchiveOpener, ConversionEngine
from uploader.core.call_evidence import is_answer
from uploader.core.damaged_copies import DamagedCopies
from uploader.core.errors import RemoteError, UploaderError
from uploader.core.failure_policy import PROBE_EVERY, classify
from uploader.core.log_subject import About
from uploader.core.model import FileState, Hold, HoldCause, Scope, Sighting
from uploader.core.path_text import full_path, shown
from uploader.core.platform_traits import LiveProfile, Traits
from uploader.core.staging_refusals import RefusedFile, StagingRefusals
from uploader.core.upload_advice import Asker
from uploader.core.verdicts import Circumstances, Park, Retry, Step
from uploader.effects.signing import SigningAhead
from uploader.effects.unpacking_room import UnpackingRoom
from uploader.journal import FileRow, Journal, SessionRow
from uploader.journal.queries import file_row, session_row
from uploader.journal.rows import clock
from uploader.platform.api import ObjectStore, Platform
from uploader.staging import Staging
from uploader.system import threads
from uploader.thumbnails import Thumbnails

action_began: ContextVar[float] = ContextVar("action_began", default=math.inf)
"""When the action began that this task performs (unix seconds)."""

T = TypeVar("T")
Start = Callable[[Callable[[], Coroutine[object, object, None]]], None]
"""Starts work and goes on."""


def about(row: FileRow, *, session: int | None = None, item: str = "", code: str = "") -> About:
    """A file, as the log names it, and what else a line is about."""
    return About(row.folder, row.path, session, item, code)


def _absolute(row: FileRow) -> str:
    """Where the file lies, as it is shown."""
    return shown(full_path(row.folder, row.path))


class SettledFiles(Protocol):
    """Where settled files come from and go back to."""

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which the file was found to be settled."""

    def claimed(self, file_id: int) -> None:
        """The file has a private copy: it is not looked at again."""

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """The file has to settle once more, and is not looked at before so many seconds."""

    async def mark(self, folders: Collection[str]) -> None:
        """Let the marks of these folders tell how far the journal has come: one put back to before that is noticed."""

    async def folder_fails(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be read: then it is held, and the file waits."""


@dataclass(slots=True)
class Tools:
    """The doors, the settings and the randomness that effects are given."""

    journal: Journal
    platform: Platform
    store: ObjectStore
    converter: ConversionEngine
    opener: ArchiveOpener
    staging: Staging
    thumbnails: Thumbnails
    intake: SettledFiles
    activity: Activity
    settings: Settings
    """Those that hold now."""
    destinations: Mapping[str, Folder]
    """By path: the folders, also those that have left the configuration while files of theirs are under way."""
    archive_dirs: Mapping[str, Path]
    """By folder: where its sources are archived, also where the configuration named that before."""
    asker: Asker = Asker.FOLDER
    """Whom it is told why a raster was not converted."""
    profile: LiveProfile = field(default_factory=LiveProfile)
    """What a live check has found out about the platform."""
    platform_held_since: float | None = None
    """Since when calls to the platform are on hold (unix seconds): the first that begins later and succeeds ends it."""
    store_held: bool = False
    """The object store takes nothing: the first file that it takes ends it."""
    machine_held: bool = False
    """Conversions are on hold, the machine being short of something: the first that comes to an end ends it."""
    descriptions_refused: str = ""
    """Why the platform lets this key describe no item; empty: it does, or was not asked yet."""
    unpacking: UnpackingRoom = field(default_factory=UnpackingRoom)
    """What archives under way may still write to staging."""
    staging_refusals: StagingRefusals = field(default_factory=StagingRefusals)
    """Whether staging takes what is written to it, and what it does not take."""
    damaged_copies: DamagedCopies = field(default_factory=DamagedCopies)
    """Whose private copies do not stay whole."""
    began: float = 0.0
    """When this process began: of what failed before, nobody remembers whether it was asked to wait (unix seconds)."""
    asked_to_wait_until: float = 0.0
    """The latest time until which the far side has asked somebody to wait: before it nobody is hastened."""
    answered_at: float = 0.0
    stored_at: float = 0.0
    """When the platform last answered, and the store last took a file (unix seconds); 0: not since the start."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when work on this machine has to end soon."""
    cut: threading.Event = field(default_factory=threading.Event)
    """Set when running transfers have to end at their next chunk."""
    random: random.Random = field(default_factory=random.Random)
    signing: SigningAhead = field(default_factory=SigningAhead)
    progress_sent: dict[int, float] = field(default_factory=dict)
    """By session: when its progress was reported last."""

    @property
    def traits(self) -> Traits:
        """What the platform does, as far as it was found out."""
        return self.profile.traits

    def known(
        self,
        tries: int = 0,
        refusals: int = 0,
        *,
        doubtful: bool = False,
        swapped: bool = False,
        joins: bool = False,
        others_pass: bool = False,
        last: bool = False,
    ) -> Circumstances:
        """What a verdict depends on, with fresh jitter."""
        jitter = self.random.random()
        return Circumstances(tries, refusals, jitter, doubtful, swapped, joins, others_pass, last)

    def hold(self, park: Park, target: str = "") -> Hold:
        """The hold from now on that a verdict asks for; `target` is where the items of its session go."""
        now, subject = clock(), target if park.scope is Scope.TARGET else ""
        return Hold(park.scope, subject, park.reason, park.way_out, now, now + park.after, cause=park.cause)

    def reading_failed(self, error: UploaderError, tries: int) -> tuple[float, Hold | None]:
        """A call that reads failed: the seconds until it is made again, and the hold that says why, if it is one."""
        match classify(Step.READ, error, self.known(tries)):
            case Retry(after):
                return after, None
            case Park() as park:
                return PROBE_EVERY, self.hold(park)
            case _:
                return PROBE_EVERY, None

    async def session(self, session_id: int) -> SessionRow:
        """An upload session with its members, as the journal has it now."""
        live = self.journal.live.session(session_id)
        if live is not None:
            return live
        return await self.journal.read(lambda db: session_row(db, session_id))

    async def file(self, file_id: int) -> FileRow:
        """A file, as the journal has it now."""
        live = self.journal.live.file(file_id)
        if live is not None:
            return live
        return await self.journal.read(lambda db: file_row(db, file_id))

    def note_holds(self, holds: Iterable[Hold]) -> None:
        """These hold work back now: what ends one of them is looked out for."""
        found = {(hold.scope, hold.cause is HoldCause.STORE_UNREACHABLE): hold for hold in holds}
        of_calls = found.get((Scope.PLATFORM, False))
        self.platform_held_since = None if of_calls is None else of_calls.since
        self.store_held = (Scope.PLATFORM, True) in found
        self.machine_held = (Scope.MACHINE, False) in found

    async def reached(self) -> None:
        """A call to the platform succeeded. One that was under way when a hold began proves nothing against it."""
        if self.platform_held_since is not None and action_began.get() >= self.platform_held_since:
            self.platform_held_since = None
            await self.journal.holds.clear(Scope.PLATFORM, due_since=self._due_since())
        self.answered_at = clock()  # only now: whoever waited for it is due

    async def store_took(self) -> None:
        """A transfer came to its end."""
        since = self._due_since()
        if self.store_held and since is not None:
            self.store_held = False
            await self.journal.holds.transfers_due(since)
        self.stored_at = clock()

    def _due_since(self) -> float | None:
        """From when on failures are made good at once; None while the far side has asked somebody to wait."""
        return None if clock() < self.asked_to_wait_until else self.began

    def copy_damaged(self, row: FileRow, reason: str, mended: FileState, after: float) -> None:
        """The private copy of a file is damaged, which is known to be over in this state; see `DamagedCopies`."""
        self.damaged_copies.found(row.id, _absolute(row), reason, mended, now=clock(), after=after)

    def staging_refused(self, row: FileRow, park: Park) -> None:
        """The private copy, or what it is converted to, could not be written; see `StagingRefusals`."""
        now = clock()
        self.staging_refusals.refused(
            RefusedFile(
                row.id,
                _absolute(row),
                row.size,
                park.reason,
                park.way_out,
                since=now,
                until=now + park.after,
                settles=row.state is FileState.SETTLING,
                alone=park.scope is Scope.FILE,
            )
        )

    def set_back(self, seconds: float) -> None:
        """The wall clock was set back by so many seconds."""
        self.answered_at -= seconds
        self.stored_at -= seconds
        self.asked_to_wait_until -= seconds
        self.began -= seconds

    async def converter_works(self) -> None:
        """A conversion came to an end, good or bad, so the machine has what it takes."""
        if self.machine_held:
            self.machine_held = False
            await self.journal.holds.clear(Scope.MACHINE, due_since=self.began)

    async def answered(self, error: UploaderError) -> None:
        """A call to the platform failed; where it was understood and refused, the platform was reached."""
        if isinstance(error, RemoteError) and error.retry_after:
            self.asked_to_wait_until = max(self.asked_to_wait_until, clock() + error.retry_after)
        if is_answer(error):
            await self.reached()

    def stop_of(self, kind: str) -> threading.Event:
        """`stop`, for blocking work of this kind: with each piece it asks whether to end, which shows that it lives."""
        return self.activity.watched(kind, self.stop)

    def within(self, seconds: float) -> AbstractContextManager[object]:
        """Leave the block after so many seconds, done or not."""
        return anyio.move_on_after(seconds)

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[Start]:
        """Gives a way to start work beside the block, which is waited for at its end; errors are those of the block."""
        failed: Exception | None = None
        async with anyio.create_task_group() as group:

            def start(work: Callable[[], Coroutine[object, object, None]]) -> None:
                group.start_soon(work)

            try:
                yield start
            except Exception as error:  # noqa: BLE001 - raised as it is, and not as one of a group
                failed = error
        if failed is not None:
            raise failed

    async def pause(self, seconds: float) -> None:
        """Keep what this is about from being tried again for so long."""
        await anyio.sleep(seconds)

    async def in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Run blocking file work; it watches `stop` itself, so it is waited for."""
        return await threads.run_sync(work, *args)
