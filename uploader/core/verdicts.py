"""What may follow from a failure, as values: the step that failed, what is known beside the error, and the verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from uploader.core import errors as err
from uploader.core.model import HoldCause, Scope


def not_taken(said: str) -> str:
    """The reason of a file that the platform refuses; `said` are its words."""
    return f"The platform does not take the file ({said})."


class Step(StrEnum):
    """What was being done."""

    CLAIM = "claim"
    CONVERT = "convert"
    INITIATE = "initiate"
    SIGN = "signed_url"
    PUT = "put"
    COMPLETE = "complete"
    FAIL = "fail"
    READ = "read"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Retry:
    """The same step again after this many seconds; uses up nothing."""

    after: float


@dataclass(frozen=True, slots=True)
class Again:
    """The same step again after this many seconds, counted as an attempt of the file."""

    after: float
    elsewhere: bool = False
    """Another worker of the cluster does it: that this one is gone says little of the file."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Back to the drop folder: the file may still be on its way."""

    after: float


@dataclass(frozen=True, slots=True)
class Park:
    """Everybody in the scope waits; nothing is wrong with the file."""

    scope: Scope
    cause: HoldCause
    reason: str
    way_out: str
    after: float


@dataclass(frozen=True, slots=True)
class Reject:
    """The file will not pass as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refail:
    """The session is given up and its files are planned anew."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The platform no longer knows the session."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Whether `complete` was done is not known: the items are looked for."""

    reason: str


@dataclass(frozen=True, slots=True)
class Accept:
    """The refusal says that what was asked for is so already."""

    reason: str


@dataclass(frozen=True, slots=True)
class Swap:
    """The platform does not take this transfer_method: the published one is used from now on."""

    method: str


@dataclass(frozen=True, slots=True)
class Judge:
    """`complete` was refused in clear words: the words decide which files stay (see `complete_refusal`)."""

    problem: err.Problem


@dataclass(frozen=True, slots=True)
class Damaged:
    """The private copy is not what was recorded: copied and converted again, after so many seconds."""

    reason: str
    after: float


Verdict = Retry | Again | LookAgain | Park | Reject | Refail | Lost | Doubt | Accept | Swap | Judge | Damaged


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the verdict depends on besides the error. `jitter` is uniform in [0, 1)."""

    tries: int = 0
    """Failed tries of this step before this one, outages included."""
    refusals: int = 0
    """Those of them that were the file's own: a refused PUT, a child that died, a look that failed."""
    jitter: float = 0.5
    doubtful: bool = False
    """An earlier `complete` of this session went unanswered."""
    swapped: bool = False
    """The published transfer_method is in use already."""
    joins: bool = False
    """The session's file is to join the item of its scene."""
    others_pass: bool = False
    """Since the file first failed, another has passed: staging has taken it, or the object store."""
    last: bool = False
    """No further attempt is left of those that a file may cost (`limits.max_attempts`)."""
