"""The working set: the live rows of the journal in memory, indexed for the planner.

The journal's writer says after each commit what the rows that it touched are now (`Delta`), in the order of the
commits; nobody else changes the set. So a plan costs what has changed, and no query. Settling files are not in it:
their folder's queue knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from uploader.core import holds as hold_list
from uploader.core import planner_rows as shown
from uploader.core.configuration import Folder
from uploader.core.lifecycle import FILE_ENDS, WORKED_ON
from uploader.core.live_index import (
    EVERYTHING,
    Index,
    Window,
    batch_line,
    scheduled_last,
    smallest_first,
)
from uploader.core.live_rows import FileRow, LiveFile, LiveSession, SessionRow
from uploader.core.live_scenes import LiveScenes
from uploader.core.model import FileState, Hold, Pause, PlatformProfile
from uploader.core.planner_view import Disposal, PlannerView, Session, SessionMember, Waiting
from uploader.core.scenes import KeptBack, Scene

QUEUE_WINDOW = 64
"""Queued files that a plan looks at: more than the converters can take in a turn."""

WAITING_WINDOW = 300
"""Converted files of a folder, of one kind of data, that a plan looks at beyond those of one batch."""

ENDING_WINDOW = 64
"""Files whose source or private copies are to go that a plan looks at."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delta:
    """What rows are after a commit, by id; None: the row is gone. Holds, pauses and profile where they have changed."""

    files: Mapping[int, LiveFile | None] = field(default_factory=dict)
    sessions: Mapping[int, LiveSession | None] = field(default_factory=dict)
    scenes: Mapping[int, Scene] = field(default_factory=dict)
    holds: tuple[Hold, ...] | None = None
    pauses: tuple[Pause, ...] | None = None
    profile: PlatformProfile | None = None
    whole: bool = False
    """It holds all live rows, and what the set had before counts no more."""


class WorkingSet:
    """The live rows. Belongs to the event loop: `apply` and the questions are asked there alone."""

    def __init__(self) -> None:
        self.revision = 0
        """How many deltas were applied."""
        self.holds: tuple[Hold, ...] = ()
        self.pauses: tuple[Pause, ...] = ()
        self.profile = PlatformProfile()
        self._clear()

    def _clear(self) -> None:
        self._files: dict[int, LiveFile] = {}
        self._sessions: dict[int, LiveSession] = {}
        self._members: dict[int, set[int]] = {}
        self._seen: dict[int, Session] = {}
        self._rows: dict[int, SessionRow] = {}
        """By session: its row with its members, made when it is asked for, once for each change of it or of them."""
        self._member: dict[int, SessionMember] = {}
        """By file: what a plan sees of it as a member, made once for each change of it and not of its session."""
        self._converted: dict[int, Waiting] = {}
        """By file: the same of it as one that waits for a session."""
        self._staged_bytes = 0
        self._scenes = LiveScenes()
        self._queued = Index(lambda file: file.row.state is FileState.QUEUED, scheduled_last)
        self._waiting = Index(self._may_go, scheduled_last, batch_line)
        self._smallest = Index(self._may_go, smallest_first, batch_line)
        self._kept_back = Index(lambda file: _is_converted(file) and not self._scenes.may_go(file))
        self._disposals = Index(lambda file: file.disposal_due)
        self._discards = Index(lambda file: file.staged and file.row.state in FILE_ENDS)
        self._held = Index(lambda file: bool(file.hold))
        self._indexes = (
            *(self._queued, self._waiting, self._smallest, self._kept_back),
            *(self._disposals, self._discards, self._held),
        )

    def apply(self, delta: Delta) -> None:
        """Take over what a commit has made of the rows."""
        self.revision += 1
        if delta.whole:
            self._clear()
        self._scenes.put_scenes(delta.scenes)
        for session_id, session in delta.sessions.items():
            self._put_session(session_id, session)
        for file_id, file in delta.files.items():
            self._put_file(file_id, file)
        for session_id in delta.sessions:
            self._drop_idle(session_id)
        if delta.holds is not None:
            self.holds = delta.holds
        if delta.pauses is not None:
            self.pauses = delta.pauses
        if delta.profile is not None:
            self.profile = delta.profile

    @property
    def busy(self) -> bool:
        """Whether something is still to be done with any file or session."""
        return bool(self._files or self._sessions)

    @property
    def staged_bytes(self) -> int:
        """Bytes of all private copies and of what was made of them."""
        return self._staged_bytes

    def file(self, file_id: int) -> FileRow | None:
        """A live file; None where it is none."""
        return self._files[file_id].row if file_id in self._files else None

    def retrying_since(self, file_id: int) -> float | None:
        """Since when a live file is retried; None where it is not."""
        return self._files[file_id].retrying_since if file_id in self._files else None

    def session(self, session_id: int) -> SessionRow | None:
        """A live session with its members in order of their ids; None where it is none."""
        if session_id not in self._sessions:
            return None
        if session_id not in self._rows:
            members = (self._files[file_id].row for file_id in sorted(self._members.get(session_id, ())))
            self._rows[session_id] = replace(self._sessions[session_id].row, members=tuple(members))
        return self._rows[session_id]

    def all_holds(self) -> tuple[Hold, ...]:
        """The holds of the journal, and those that files and sessions have of their own."""
        files = self._window(self._held, EVERYTHING, hold_list.of_file)
        sessions = (hold_list.of_session(session) for session in self._sessions.values())
        return (*self.holds, *(hold for hold in (*files, *sessions) if hold is not None))

    def view(
        self,
        destinations: Mapping[str, Folder],
        *,
        batch_files: int = 0,
        resting: int = 0,
        left_out: frozenset[str] = frozenset(),
    ) -> PlannerView:
        """The journal's part of what the planner sees, twins left out.

        `batch_files`: how many files a session may hold. `resting`: files that the planner will pass over although they
        are in the windows. `left_out`: folders for which nothing new may be begun; their files would fill the windows.
        """
        return PlannerView(
            destinations=destinations,
            queued=self._window(self._queued, Window(QUEUE_WINDOW + resting, left_out), shown.queued),
            queued_total=self._queued.count(left_out),
            waiting=self._batchable(Window(WAITING_WINDOW + batch_files + resting, left_out)),
            sessions=tuple(self._session(s) for s in sorted(self._sessions) if self._sessions[s].needed),
            scenes=self._scenes.wanting(),
            kept_back=self._scenes_kept_back(Window(WAITING_WINDOW, left_out)),
            disposals=self._disposable(ENDING_WINDOW + resting),
            discards=self._window(self._discards, Window(ENDING_WINDOW + resting), lambda file: file.row.id),
            holds=self.holds,
            pauses=self.pauses,
            profile=self.profile,
            staged_bytes=self._staged_bytes,
        )

    # -- keeping it ------------------------------------------------------------------------------------------

    def _put_session(self, session_id: int, session: LiveSession | None) -> None:
        before = self._sessions.pop(session_id, None)
        self._session_changed(session_id)
        if session is not None:
            self._sessions[session_id] = session
        if (before.readback if before else None) != (session.readback if session else None):
            self._disposals.changed()

    def _session_changed(self, session_id: int) -> None:
        self._seen.pop(session_id, None)
        self._rows.pop(session_id, None)

    def _put_file(self, file_id: int, file: LiveFile | None) -> None:
        if file is not None and not self._is_live(file):
            file = None
        before = self._files.pop(file_id, None)
        self._member.pop(file_id, None)
        self._converted.pop(file_id, None)
        self._staged_bytes -= _staged_bytes(before)
        left = before.row.session_id if before else None
        if left is not None and (file is None or file.row.session_id != left):
            self._leave(left, file_id)
        of_scene = self._scenes.put(file_id, file)
        for other_id, other in (*of_scene, (file_id, file)):
            for index in self._indexes:
                index.put(other_id, other)
        if of_scene:
            self._disposals.changed()
        if file is None:
            return
        self._files[file_id] = file
        self._staged_bytes += _staged_bytes(file)
        if _is_converted(file):
            self._converted[file_id] = shown.waiting(file)
        if file.row.session_id is not None:
            self._members.setdefault(file.row.session_id, set()).add(file_id)
            self._member[file_id] = shown.member(file)
            self._session_changed(file.row.session_id)

    def _leave(self, session_id: int, file_id: int) -> None:
        members = self._members.get(session_id, set())
        members.discard(file_id)
        self._session_changed(session_id)
        if not members:
            self._members.pop(session_id, None)
            self._drop_idle(session_id)

    def _is_live(self, file: LiveFile) -> bool:
        session = self._sessions.get(file.row.session_id or 0)
        return (
            file.staged
            or file.disposal_due
            or file.row.state in WORKED_ON
            or (session is not None and session.needed)
        )

    def _drop_idle(self, session_id: int) -> None:
        """Forget a session that needs nothing more, once none of its files does; and members that were kept for it."""
        session = self._sessions.get(session_id)
        if session is not None and session.needed:
            return
        for file_id in list(self._members.get(session_id, ())):
            if not self._is_live(self._files[file_id]):
                self._put_file(file_id, None)
        if session_id not in self._members:
            self._sessions.pop(session_id, None)

    # -- what is seen of it ----------------------------------------------------------------------------------

    def _batchable(self, window: Window) -> tuple[Waiting, ...]:
        """Converted files: of each line the first, or while the quota is short, the smallest."""
        index = self._waiting if self.profile.quota_cap is None else self._smallest

        def made() -> tuple[Waiting, ...]:
            files = (self._converted[file_id] for file_id in index.first_of_each(window))
            return tuple(sorted(files, key=lambda file: (-file.priority, file.file_id)))  # as `by_priority`

        return index.window(window, made)

    def _window(self, index: Index, window: Window, made_of: Callable[[LiveFile], T]) -> tuple[T, ...]:
        def made() -> tuple[T, ...]:
            return tuple(made_of(self._files[file_id]) for file_id in index.first(window))

        return index.window(window, made)

    def _disposable(self, size: int) -> tuple[Disposal, ...]:
        def made() -> tuple[Disposal, ...]:
            files = (self._files[file_id] for file_id in self._disposals.in_order())
            due = islice(
                (file for file in files if self._read_back(file) and self._scenes.finished(file)), size
            )
            return tuple(Disposal(file.row.id, file.not_before, file.retrying_since) for file in due)

        return self._disposals.window(Window(size), made)

    def _may_go(self, file: LiveFile) -> bool:
        return _is_converted(file) and self._scenes.may_go(file)

    def _scenes_kept_back(self, window: Window) -> tuple[KeptBack, ...]:
        def made() -> tuple[KeptBack, ...]:
            return self._scenes.kept_back(self._files[file_id] for file_id in self._kept_back.first(window))

        return self._kept_back.window(window, made)

    def _read_back(self, file: LiveFile) -> bool:
        """Whether the items of its session were read back, or need not be."""
        session = self._sessions.get(file.row.session_id or 0)
        return session is None or session.readback in (None, "verified")

    def _session(self, session_id: int) -> Session:
        seen = self._seen.get(session_id)
        if seen is None:
            members = tuple(self._member[file_id] for file_id in sorted(self._members.get(session_id, ())))
            seen = self._seen[session_id] = shown.session(self._sessions[session_id], members)
        return seen


def _staged_bytes(file: LiveFile | None) -> int:
    return file.row.size + file.row.object_size if file is not None and file.staged else 0


def _is_converted(file: LiveFile) -> bool:
    return file.row.state is FileState.CONVERTED
