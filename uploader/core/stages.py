"""The stages of the work, and when one of them stands still: something runs, and nothing comes of it.

Each gives signs of life: a beginning, an end, bytes that were copied or sent, a converter that uses the processor. The
journal has a watch of its own, for everything waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.planning_pass import PlanningPass


class Stage(StrEnum):
    """What the daemon does with a file, one after the other."""

    CLAIM = "claim"
    CONVERT = "convert"
    PUT = "put"
    CALL = "call"
    DISPOSE = "dispose"


OF_ACTIONS: Mapping[str, Stage] = {
    "Claim": Stage.CLAIM,
    "Convert": Stage.CONVERT,
    "Put": Stage.PUT,
    "Initiate": Stage.CALL,
    "Complete": Stage.CALL,
    "Locate": Stage.CALL,
    "Abandon": Stage.CALL,
    "ReadBack": Stage.CALL,
    "AdvanceScene": Stage.CALL,
    "Dispose": Stage.DISPOSE,
    "Discard": Stage.DISPOSE,
}
"""By class of action; planning a session and leaving out a twin are entries in the journal alone."""

DOES = {
    Stage.CLAIM: "Copying files from the drop folders",
    Stage.CONVERT: "Converting",
    Stage.PUT: "Sending files to the object store",
    Stage.CALL: "A call to the platform",
    Stage.DISPOSE: "Putting sources and private copies away",
}

EXPLAINED_BY = {
    Stage.CLAIM: frozenset({Scope.FOLDER, Scope.STAGING, Scope.JOURNAL, Scope.MACHINE}),
    Stage.CONVERT: frozenset({Scope.STAGING, Scope.JOURNAL, Scope.MACHINE}),
    Stage.PUT: frozenset({Scope.PLATFORM, Scope.STAGING, Scope.JOURNAL}),
    Stage.CALL: frozenset({Scope.PLATFORM, Scope.JOURNAL}),
    Stage.DISPOSE: frozenset({Scope.FOLDER, Scope.STAGING, Scope.JOURNAL}),
}
"""Scopes whose holds say already why a stage stands still."""

WAY_OUT = (
    "Everything else goes on. Look after the disk, mount or server that it works on; where that is well, restart the "
    "daemon, which begins the step anew, and report it with the log."
)


def _said(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"  # noqa: PLR2004


def running(actions: Mapping[str, int]) -> dict[Stage, int]:
    """How much runs in each stage; `actions` are numbers by class."""
    found = dict.fromkeys(Stage, 0)
    for name, number in actions.items():
        if stage := OF_ACTIONS.get(name):
            found[stage] += number
    return found


def show_stalled(turn: PlanningPass) -> None:
    """Show each stage that stands still without another hold that says why.

    Of one that was told before, a folder that is held since says nothing: it may be any other.
    """
    scopes = {hold.scope for hold in (*turn.view.holds, *turn.plan.holds)}
    for stage, number in running(turn.view.running).items():
        silent = turn.view.silence.get(stage, 0.0)
        if not number or silent < turn.settings.notify.stalled_after:
            continue
        told_before = {Scope.FOLDER} if stage in turn.view.stalled else set[Scope]()
        if scopes & EXPLAINED_BY[stage] - told_before:
            continue
        turn.plan.stalled |= {stage.value}
        turn.show(
            Hold(
                Scope.STAGE,
                stage.value,
                f"{DOES[stage]} has come no further for {_said(silent)}.",
                WAY_OUT,
                since=turn.now - silent,
                cause=HoldCause.STALLED,
            )
        )
