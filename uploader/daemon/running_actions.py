"""The actions that run: since when, what they may still write, and what their beginnings and ends say of a stage."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from uploader.activity import Activity
from uploader.core import disk_space
from uploader.core.actions import Action, Subject
from uploader.core.planner_view import PlannerView
from uploader.core.stages import OF_ACTIONS

LOCAL = frozenset({"Claim", "Convert", "Dispose", "Discard"})
"""Kinds of actions that the end of the process does not wait for: the next start does them again."""


@dataclass(frozen=True, slots=True)
class _Running:
    """An action, since when it runs, the bytes that it may still write, and the folder that a claim copies from."""

    action: Action
    since: float
    reserved: int
    copied_from: str


@dataclass(frozen=True, slots=True)
class RunningView:
    """What the planner sees of the running actions, at one moment: the fields of `PlannerView` of these names."""

    busy: frozenset[Subject]
    running: Counter[str]
    since: Mapping[Subject, float]
    copying: Counter[str]
    reserved_bytes: int


class RunningActions:
    """One action for each subject at most; each is known by its first. Touched by the event loop only."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._running: dict[Subject, _Running] = {}

    def begin(self, action: Action, view: PlannerView) -> None:
        """An action begins that was planned for this view."""
        reserved, copied_from = disk_space.reserved(view, action), disk_space.copied_from(view, action)
        self._running[action.subjects[0]] = _Running(action, time.time(), reserved, copied_from)
        self._sign(action)

    def end(self, action: Action) -> int:
        """It has ended; returns the bytes that it may have written."""
        self._sign(action)
        return self._running.pop(action.subjects[0]).reserved

    def counted(self) -> Counter[str]:
        """How many of each kind run."""
        return Counter(type(running.action).__name__ for running in self._running.values())

    def calls(self) -> int:
        """How many run that talk to the platform or its store."""
        return sum(number for kind, number in self.counted().items() if kind not in LOCAL)

    def seen(self) -> RunningView:
        """What the planner sees of them."""
        running = self._running.values()
        since = {subject: each.since for each in running for subject in each.action.subjects}
        return RunningView(
            busy=frozenset(since),
            running=self.counted(),
            since=since,
            copying=Counter(each.copied_from for each in running if each.copied_from),
            reserved_bytes=sum(each.reserved for each in running),
        )

    def _sign(self, action: Action) -> None:
        """A beginning and an end are signs of life of the stage."""
        if stage := OF_ACTIONS.get(type(action).__name__):
            self._activity.sign(stage)
