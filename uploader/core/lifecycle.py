"""The two state machines. Everything that affects a transition is in this file, and nothing else assigns a state.

A file's version goes `settling → queued → converted → batched → stored → completed → disposed`, or ends as
`rejected`, `duplicate` or `gone`. An archive goes `settling → queued → unpacked`: its rasters are files from then on.
An upload session goes `planned → open → completing → completed`, or ends as `failed` or `lost`. The machines are
coupled by `COUPLED`: when a session ends, its files move in the same transaction. Being converted or uploaded is an
activity, not a state: it dies with the process, and the rows still tell the truth. Retries, holds and schedules are
columns beside the state, so that the tables stay readable.
"""

from __future__ import annotations

from enum import StrEnum

from uploader.core.model import FileState as F
from uploader.core.model import SessionState as S


class FileEvent(StrEnum):
    """What can become true of a file."""

    CLAIMED = "claimed"
    """The group was copied into staging and hashed."""
    UNCHANGED = "unchanged"
    """The claim showed the content that this path already brought in."""
    VANISHED = "vanished"
    """It left the drop folder before it was claimed, or after it was rejected."""
    CONVERTED = "converted"
    """A validated COG, or the copy itself, is ready in staging."""
    LOOK_AGAIN = "look_again"
    """It did not open, or its private copy is damaged: the drop folder is looked at again, or its archive."""
    TWIN = "twin"
    """Another path brought the same content in, and the folder wants no duplicates."""
    BATCHED = "batched"
    """It is a member of a planned session."""
    STORED = "stored"
    """The object store holds its bytes, compared by hash."""
    MISSING = "missing"
    """The platform says that the bytes are not there: sent again in the same session."""
    RELEASED = "released"
    """Its session ended without it."""
    DAMAGED = "damaged"
    """The converted copy in staging is not what was recorded: converted again."""
    COMPLETED = "completed"
    """It is an item, or an asset of one."""
    RECOGNISED = "recognised"
    """The platform showed its item when the journal was repaired: it need not be uploaded again."""
    UNPACKED = "unpacked"
    """It is an archive, and what is wanted of it are files of their own with private copies from now on."""
    DISPOSED = "disposed"
    """The source was archived or deleted."""
    REJECTED = "rejected"
    """It will never pass as it is; the reason is in words."""
    RETRIED = "retried"
    """A person asks for another try."""
    FORGOTTEN = "forgotten"
    """A person says that it will never come back."""


class SessionEvent(StrEnum):
    """What can become true of an upload session."""

    OPENED = "opened"
    """`initiate` answered with an id."""
    REFUSED = "refused"
    """`initiate` said no in clear words: nothing was reserved."""
    COMPLETING = "completing"
    """All members are stored; `complete` may be sent from now on."""
    INCOMPLETE = "incomplete"
    """`complete` said in clear words that bytes are missing."""
    COMPLETED = "completed"
    """`complete` answered, or the items were found."""
    ABANDONED = "abandoned"
    """We give it up; `fail` may be sent from now on."""
    FAILED = "failed"
    """The platform knows that it failed."""
    RECOGNISED = "recognised"
    """The platform showed all its items when the journal was repaired."""
    LOST = "lost"
    """The platform no longer knows it, or a repaired journal does not know what became of it."""


FILE_ARROWS: dict[F, dict[FileEvent, F]] = {
    F.SETTLING: {
        FileEvent.CLAIMED: F.QUEUED,
        FileEvent.UNCHANGED: F.DUPLICATE,
        FileEvent.VANISHED: F.GONE,
        FileEvent.RECOGNISED: F.COMPLETED,
        FileEvent.REJECTED: F.REJECTED,
        FileEvent.FORGOTTEN: F.GONE,
    },
    F.QUEUED: {
        FileEvent.CONVERTED: F.CONVERTED,
        FileEvent.UNPACKED: F.UNPACKED,
        FileEvent.LOOK_AGAIN: F.SETTLING,
        FileEvent.TWIN: F.DUPLICATE,
        FileEvent.RECOGNISED: F.COMPLETED,
        FileEvent.REJECTED: F.REJECTED,
        FileEvent.FORGOTTEN: F.GONE,
    },
    F.CONVERTED: {
        FileEvent.BATCHED: F.BATCHED,
        FileEvent.DAMAGED: F.QUEUED,
        FileEvent.TWIN: F.DUPLICATE,
        FileEvent.RECOGNISED: F.COMPLETED,
        FileEvent.REJECTED: F.REJECTED,
        FileEvent.FORGOTTEN: F.GONE,
    },
    F.BATCHED: {
        FileEvent.STORED: F.STORED,
        FileEvent.RELEASED: F.CONVERTED,
        FileEvent.DAMAGED: F.QUEUED,
        FileEvent.RECOGNISED: F.COMPLETED,
        FileEvent.REJECTED: F.REJECTED,
    },
    F.STORED: {
        FileEvent.COMPLETED: F.COMPLETED,
        FileEvent.RECOGNISED: F.COMPLETED,
        FileEvent.MISSING: F.BATCHED,
        FileEvent.RELEASED: F.CONVERTED,
        FileEvent.REJECTED: F.REJECTED,
    },
    F.COMPLETED: {FileEvent.DISPOSED: F.DISPOSED},
    F.DISPOSED: {},
    F.REJECTED: {
        FileEvent.RETRIED: F.SETTLING,
        FileEvent.VANISHED: F.GONE,
        FileEvent.FORGOTTEN: F.GONE,
    },
    F.DUPLICATE: {},
    F.GONE: {},
    F.UNPACKED: {FileEvent.LOOK_AGAIN: F.SETTLING},
}

SESSION_ARROWS: dict[S, dict[SessionEvent, S]] = {
    S.PLANNED: {SessionEvent.OPENED: S.OPEN, SessionEvent.REFUSED: S.FAILED, SessionEvent.LOST: S.LOST},
    S.OPEN: {
        SessionEvent.COMPLETING: S.COMPLETING,
        SessionEvent.RECOGNISED: S.COMPLETED,
        SessionEvent.ABANDONED: S.FAILING,
        SessionEvent.LOST: S.LOST,
    },
    S.COMPLETING: {
        SessionEvent.COMPLETED: S.COMPLETED,
        SessionEvent.RECOGNISED: S.COMPLETED,
        SessionEvent.INCOMPLETE: S.OPEN,
        SessionEvent.ABANDONED: S.FAILING,
        SessionEvent.LOST: S.LOST,
    },
    S.FAILING: {SessionEvent.FAILED: S.FAILED},
    S.COMPLETED: {},
    S.FAILED: {},
    S.LOST: {},
}

COUPLED: dict[SessionEvent, FileEvent] = {
    SessionEvent.REFUSED: FileEvent.RELEASED,
    SessionEvent.FAILED: FileEvent.RELEASED,
    SessionEvent.LOST: FileEvent.RELEASED,
    SessionEvent.COMPLETED: FileEvent.COMPLETED,
    SessionEvent.RECOGNISED: FileEvent.RECOGNISED,
}
"""What happens to all members of a session in the transaction that moves the session."""

FILE_ENDS = frozenset({F.COMPLETED, F.DISPOSED, F.REJECTED, F.DUPLICATE, F.GONE, F.UNPACKED})
"""Nothing more is uploaded from here; a completed file, or an archive, may still wait for its disposal."""

PENDING = frozenset(F) - FILE_ENDS
"""A file of these is on its way."""

WORKED_ON = PENDING - {F.SETTLING}
"""A file of these was claimed, and is on its way: it is live, and the sources of its scene stay where they are."""

ITEMS = frozenset({F.COMPLETED, F.DISPOSED})
"""A file of these is an item, or an asset of one."""

ARCHIVE_NOT_NEEDED = frozenset({F.DISPOSED, F.DUPLICATE, F.GONE})
"""For a file of these the source of the archive that it came in need not stay."""

SESSION_ENDS = frozenset({S.COMPLETED, S.FAILED, S.LOST})

SESSIONS_PENDING = frozenset(S) - SESSION_ENDS

ITEM_MADE = FileEvent.COMPLETED
ITEM_KNOWN = frozenset({FileEvent.COMPLETED, FileEvent.RECOGNISED})
"""Events with which a file has its item: made now, or at some other time."""

OBJECT_MADE, OBJECT_STORED = FileEvent.CONVERTED, FileEvent.STORED
"""Lines of the event log that tell when a file was converted, and when it was uploaded."""

PACED_STAGES: dict[FileEvent, frozenset[F]] = {
    FileEvent.CLAIMED: frozenset({F.SETTLING}),
    FileEvent.CONVERTED: frozenset({F.SETTLING, F.QUEUED}),
    FileEvent.STORED: frozenset({F.SETTLING, F.QUEUED, F.CONVERTED, F.BATCHED}),
}
"""By the event with which a stage ends for a file: the states of the files that have it still before them."""

STAGE_ENDS = (*PACED_STAGES, FileEvent.COMPLETED)
"""The events with which the stages end. The last is no paced stage: a session completes all its files at once, when the
last of them is stored, so how many were completed says nothing of a pace.
"""

SOURCE_GONE = FileEvent.DISPOSED
SOURCE_SETTLED = frozenset({SOURCE_GONE.value, "kept"})
"""Lines of the event log by which nothing more is to be done with a completed file's source."""

SOURCE_SEEN_AGAIN = FileEvent.UNCHANGED
"""A line after which the source of an earlier version of the path may be to go after all."""


class IllegalTransition(Exception):
    """A bug: an event that the state does not know. Nothing was written."""


def advance_file(state: F, event: FileEvent) -> F:
    """The state that `event` leads to; raises IllegalTransition where there is no arrow."""
    try:
        return FILE_ARROWS[state][event]
    except KeyError:
        raise IllegalTransition(f"a {state} file knows no {event}") from None


def advance_session(state: S, event: SessionEvent) -> S:
    """The state that `event` leads to; raises IllegalTransition where there is no arrow."""
    try:
        return SESSION_ARROWS[state][event]
    except KeyError:
        raise IllegalTransition(f"a {state} session knows no {event}") from None
