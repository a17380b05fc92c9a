"""Holds of a target or of the quota that no file waits for any more: there is nothing left to try them with."""

from __future__ import annotations

from math import inf

from uploader.core import actions as act
from uploader.core.batching import candidates
from uploader.core.idle_probes import by_probe
from uploader.core.lifecycle import SESSION_ENDS
from uploader.core.model import Hold, Scope
from uploader.core.pauses import in_force
from uploader.core.planning_pass import PlanningPass


def end(turn: PlanningPass) -> None:
    """A hold ends with the last file that waits for it, one in each turn. What a probe found is ended by a probe.

    While a pause keeps files out of the view, nobody knows whether some of them wait.
    """
    if not turn.view.holds or in_force(turn.view.pauses, turn.now) or turn.busy(*act.HOLDS):
        return
    ended = (hold for hold in turn.view.holds if _by_a_call(hold) and not _waited_for(turn, hold))
    if hold := next(ended, None):
        turn.do(act.EndHold(hold.scope, hold.subject))


def _by_a_call(hold: Hold) -> bool:
    return hold.scope in {Scope.TARGET, Scope.ORGANIZATION} and not by_probe(hold)


def _waited_for(turn: PlanningPass, hold: Hold) -> bool:
    """Whether a file waits for it; one that is not converted yet counts for all targets of its project."""
    view = turn.view
    coming = {folder for folder, files in view.settling.items() if files}
    coming |= {file.folder for file in view.settled} | {file.folder for file in view.queued}
    if view.queued_total > len(view.queued) or not coming <= set(view.destinations):
        return True
    targets = {session.key.target for session in view.sessions if session.state not in SESSION_ENDS}
    targets |= {group.key.target for group in candidates(view, view.waiting, inf)}
    targets |= {kept.scene.target for kept in view.kept_back}
    if hold.scope is Scope.ORGANIZATION:
        return bool(targets or coming)
    projects = {view.destinations[folder].project_id for folder in coming}
    return hold.subject in targets or hold.subject.partition("/")[0] in projects
