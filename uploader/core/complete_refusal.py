"""What a clear refusal of `complete` is about: some files, missing bytes, the whole target, or nobody knows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uploader.core.errors import Problem

TARGET_WORDS = ("collection", "target_item", "target item", "project")
MISSING_WORDS = ("missing", "not found", "not uploaded", "no object", "incomplete", "absent")


@dataclass(frozen=True, slots=True)
class Resend:
    """The platform misses the bytes of these files (by index)."""

    files: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RejectFiles:
    """The platform refuses these files (by index); the others may go on."""

    files: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HoldTarget:
    """The collection, item or project is the matter, not the files."""


@dataclass(frozen=True, slots=True)
class Bisect:
    """It is not said which file is the matter: each half is tried alone."""

    first: tuple[int, ...]
    second: tuple[int, ...]


Judgement = Resend | RejectFiles | HoldTarget | Bisect


def says_missing(problem: Problem) -> bool:
    """Whether the refusal is about bytes that did not arrive.

    Then the session is not completed, whatever became of earlier answers: a repeated `complete` on a completed session
    is a no-op, and sending the bytes again is safe in any case.
    """
    words = _words(problem)
    return any(word in words for word in MISSING_WORDS) and not any(word in words for word in TARGET_WORDS)


def judge(problem: Problem, names: Sequence[str]) -> Judgement:
    """Read a refusal of `complete` for a session whose members have these file names, in order."""
    words = _words(problem)
    named = tuple(i for i, name in enumerate(names) if name.lower() in words)
    if says_missing(problem):
        return Resend(named or tuple(range(len(names))))
    if named and len(named) < len(names):
        return RejectFiles(named)
    if not named and (
        any(word in words for word in TARGET_WORDS)
        or any(field.startswith(("target_", "project")) for field in problem.fields)
    ):
        return HoldTarget()
    if len(names) == 1:
        return RejectFiles((0,))
    middle = (len(names) + 1) // 2
    return Bisect(tuple(range(middle)), tuple(range(middle, len(names))))


def _words(problem: Problem) -> str:
    return " ".join((problem.title, problem.detail, *(str(v) for v in problem.extra.values()))).lower()
