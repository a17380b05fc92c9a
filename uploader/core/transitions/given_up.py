"""Files that a person gave up: what an effect still brings that was at work for one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from uploader.core.model import FileState
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import FileRecord

P = ParamSpec("P")

GIVEN_UP = frozenset({FileState.GONE, FileState.DISPOSED})
"""Where a file is that was forgotten while an effect was at work for it."""

OfFile = Callable[Concatenate[float, FileRecord, P], Change]
"""A transition of one file: the time, the file, and what else it depends on."""


def unless_given_up(transition: OfFile[P]) -> OfFile[P]:
    """Make nothing of what an effect brings for a file that was given up meanwhile."""

    @wraps(transition)
    def guarded(now: float, file: FileRecord, /, *args: P.args, **given: P.kwargs) -> Change:
        return Change(now) if file.state in GIVEN_UP else transition(now, file, *args, **given)

    return guarded
