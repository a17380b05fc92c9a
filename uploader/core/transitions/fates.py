"""What becomes of the files of an upload session that is given up, or of which some have to be sent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from uploader.core.complete_refusal import Bisect, HoldTarget, Judgement, RejectFiles, Resend
from uploader.core.failure_policy import TARGET_PROBE_EVERY
from uploader.core.model import HoldCause, Scope
from uploader.core.verdicts import Park, not_taken

LOSSES = 2
"""Losses of a file's sessions in a row after which the target is held."""


class Member(Protocol):
    """What a fate depends on: the file, the attempts that it has used up, and its sessions' losses in a row."""

    @property
    def id(self) -> int:
        """The file's id."""

    @property
    def attempts(self) -> int:
        """How many attempts it has used up."""

    @property
    def losses(self) -> int:
        """How many of its sessions were lost in a row before this one."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What becomes of the files of a session that is given up, by id; all others wait for another session.

    `rejected` end with their reason, `damaged` are converted again after so many seconds, `groups` keeps the halves of
    a bisected batch apart, `counted` use up an attempt.
    """

    rejected: Mapping[int, str] = field(default_factory=dict)
    damaged: Mapping[int, float] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    counted: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class SentAgain:
    """The session goes on; these files, by id, are sent again in it."""

    file_ids: Sequence[int]


def after_refused_complete(
    judgement: Judgement,
    session_id: int,
    members: Sequence[Member],
    text: str,
    *,
    said: str,
    max_attempts: int,
) -> Fates | SentAgain:
    """What a clear refusal of `complete` means for the members, whose order is that of `judgement`.

    `text` is the whole refusal, `said` what the platform says. Bytes that are missing again and again are the file's
    own fault. Each half of a bisected batch gets a group of its own, so that they are not batched together again.
    """
    match judgement:
        case Resend(indexes):
            missing = [members[i] for i in indexes]
            tired = {file.id: text for file in missing if file.attempts + 1 >= max_attempts}
            return Fates(rejected=tired) if tired else SentAgain([file.id for file in missing])
        case RejectFiles(indexes):
            reason = not_taken(said)
            return Fates(rejected={members[i].id: reason for i in indexes})
        case HoldTarget():
            return Fates()
        case Bisect(first, second):
            halves = ((first, f"{session_id}.a"), (second, f"{session_id}.b"))
            return Fates(groups={members[i].id: group for half, group in halves for i in half})


def after_refused_put(file: Member, reason: str, max_attempts: int) -> Fates:
    """A file that cannot be stored in one session uses up an attempt, and after the last one it ends."""
    if file.attempts + 1 >= max_attempts:
        return Fates(rejected={file.id: reason})
    return Fates(counted=[file.id])


def after_loss(members: Iterable[Member], reason: str) -> Park | None:
    """What holds the target when the platform has lost a session; None where it is the first loss in a row."""
    if all(file.losses + 1 < LOSSES for file in members):
        return None
    text = f"Two upload sessions in a row were lost by the platform ({reason})."
    return Park(
        Scope.TARGET, HoldCause.SESSIONS_LOST, text, "Ask the platform's support.", TARGET_PROBE_EVERY
    )
