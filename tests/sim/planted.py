"""Bugs to plant: rules of the core, broken one at a time, that the simulation has to notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import uploader.effects.claims as claim_effects
import uploader.effects.session as session_effects
import uploader.effects.session_start as starting_effects
import uploader.effects.transfer as transfer_effects
from tests.sim.disk import Disk
from tests.sim.memory import MemoryJournal
from uploader.core import actions as act
from uploader.core import batching, planner, planning_pass, verdicts
from uploader.core import errors as err
from uploader.core.batching import Batchable
from uploader.core.lifecycle import COUPLED, FileEvent, SessionEvent
from uploader.core.model import FileState, Hold, SessionState
from uploader.core.planner_view import PlannerView, Session
from uploader.core.planning_pass import PlanningPass
from uploader.core.transitions import archive_events, file_events, initiate_events, session_events
from uploader.core.transitions import change as change_module
from uploader.core.transitions.change import Change
from uploader.core.transitions.fates import Fates
from uploader.core.verdicts import Park
from uploader.disposal import Disposed
from uploader.effects.context import Tools
from uploader.journal import archives as archive_commits
from uploader.journal import row_queries

Plant = Callable[[pytest.MonkeyPatch], None]


def gives_up_on_doubt(patch: pytest.MonkeyPatch) -> None:
    """A session is lost when its repeated `complete` goes unanswered."""
    true = session_effects.classify

    def classify(step: verdicts.Step, error: Any, known: verdicts.Circumstances) -> verdicts.Verdict:
        if step is verdicts.Step.COMPLETE and known.doubtful:
            return verdicts.Lost("impatient")
        return true(step, error, known)

    patch.setattr(session_effects, "classify", classify)


def forgets_doubt(patch: pytest.MonkeyPatch) -> None:
    """Every failed call counts as clear."""
    for module in (session_effects, starting_effects):
        patch.setattr(module, "is_clear", lambda _: True)


def leaves_members_behind(patch: pytest.MonkeyPatch) -> None:
    """A session that ends does not move its files."""
    for module in (session_events, initiate_events):
        patch.setattr(module, "couple", lambda *_: None)


def completes_on_loss(patch: pytest.MonkeyPatch) -> None:
    """A lost session completes its files."""
    patch.setitem(COUPLED, SessionEvent.LOST, FileEvent.COMPLETED)


def takes_what_changed(patch: pytest.MonkeyPatch) -> None:
    """A claim takes whatever lies there, whatever was seen."""
    true = Disk.claim

    def claim(self: Disk, file_id: int, folder: str, sighting: Any, stop: object) -> Any:
        source = self.sources.get(sighting.path)
        return true(self, file_id, folder, sighting if source is None else source.sighting, stop)

    patch.setattr(Disk, "claim", claim)


def takes_what_is_not_quiet(patch: pytest.MonkeyPatch) -> None:
    """Files are claimed although nobody has seen them settle."""
    true = planner.plan

    def plan(view: PlannerView, now: float, limits: Any) -> Any:
        made = true(view, now, limits)
        for session in view.sessions[:1]:
            made.actions += [act.Claim(m.file_id) for m in session.members[:1]]
        return made

    patch.setattr("tests.sim.world.plan", plan)


def deletes_what_changed(patch: pytest.MonkeyPatch) -> None:
    """A source is deleted although another file lies in its place."""

    def dispose(self: Disk, policy: str, sighting: Any, archive: object, stop: object) -> Disposed:
        self.touched[sighting.path] = None
        return Disposed("deleted" if self.sources.pop(sighting.path, None) else "missing")

    patch.setattr(Disk, "dispose", dispose)


def joins_the_halves(patch: pytest.MonkeyPatch) -> None:
    """A bisected batch is batched together again."""
    true = batching.candidates

    def candidates(view: PlannerView, now: float) -> list[Batchable]:
        groups = true(view, now)
        together = tuple(file for group in groups for file in group.files)
        return [replace(groups[0], files=together)] if together else []

    patch.setattr(planner, "candidates", candidates)


def forgets_retry_after(patch: pytest.MonkeyPatch) -> None:
    """A refusal's Retry-After is not obeyed."""
    for module in (session_effects, starting_effects, transfer_effects):
        true = module.classify

        def classify(
            step: verdicts.Step, error: err.UploaderError, known: verdicts.Circumstances, true: Any = true
        ) -> verdicts.Verdict:
            if isinstance(error, err.RemoteError):
                error.retry_after = None
            found: verdicts.Verdict = true(step, error, known)
            return found

        patch.setattr(module, "classify", classify)


def never_frees_the_platform(patch: pytest.MonkeyPatch) -> None:
    """A hold of the platform stays although calls succeed again."""

    async def reached(self: Tools) -> None:
        return None

    patch.setattr(Tools, "reached", reached)


def never_frees_the_target(patch: pytest.MonkeyPatch) -> None:
    """Holds of quota and target stay although sessions are opened again."""
    for module in (session_events, initiate_events):
        patch.setattr(module, "end_hold", lambda *_: None)


def disposes_before_readback(patch: pytest.MonkeyPatch) -> None:
    """Sources go as soon as `complete` was answered."""
    patch.setattr(MemoryJournal, "_readable", lambda *_: True)


def reads_nothing_back(patch: pytest.MonkeyPatch) -> None:
    """A session counts as verified although nobody looked."""
    patch.setattr(session_effects, "_verifies", lambda *_: False)


def batches_twice(patch: pytest.MonkeyPatch) -> None:
    """A member of a live session is taken into the next one, too."""
    true = planner._close

    def close(turn: PlanningPass, group: Batchable) -> Any:
        batch, at = true(turn, group)
        for session in turn.view.sessions[:1]:
            if session.state is SessionState.OPEN and session.members:
                more = replace(batch.files[0], file_id=session.members[0].file_id)
                batch = replace(batch, files=(*batch.files, more))
        return batch, at

    patch.setattr(planner, "_close", close)


def parks_without_a_probe(patch: pytest.MonkeyPatch) -> None:
    """A hold has no time at which it is tried again, and no words for a person."""
    true = Tools.hold

    def hold(self: Tools, park: Park, target: str = "") -> Hold:
        return replace(true(self, park, target), until=None, way_out="")

    patch.setattr(Tools, "hold", hold)


def probes_with_everything(patch: pytest.MonkeyPatch) -> None:
    """Once a hold is due, all calls go at once."""
    patch.setattr(PlanningPass, "passed", lambda *_: None)


def calls_before_the_time(patch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a retry's time."""
    patch.setattr(PlanningPass, "due", lambda *_: True)


def completes_too_early(patch: pytest.MonkeyPatch) -> None:
    """`complete` is sent once the first file is stored."""
    true = planner._step

    def step(turn: PlanningPass, session: Session) -> act.Action | None:
        stored = [m for m in session.members if m.state is FileState.STORED]
        if session.state is SessionState.OPEN and stored:
            return act.Complete(session.session_id)
        return true(turn, session)

    patch.setattr(planner, "_step", step)


def fails_under_way(patch: pytest.MonkeyPatch) -> None:
    """A session is failed while one of its transfers is still running."""
    patch.setattr(planner, "_sending", lambda *_: False)


def begins_with_many(patch: pytest.MonkeyPatch) -> None:
    """The first session to a target is as large as any other."""
    patch.setattr(batching, "FIRST_SESSION_FILES", 100)


def does_two_things(patch: pytest.MonkeyPatch) -> None:
    """What was decided on in a turn does not count as busy."""
    patch.setattr(PlanningPass, "busy", lambda self, kind, row_id: (kind, row_id) in self.view.busy)


def looks_for_what_is_gone(patch: pytest.MonkeyPatch) -> None:
    """A damaged copy of a replaced source waits for that source."""
    patch.setattr(file_events, "superseded", lambda *_: False)


def forgets_damage(patch: pytest.MonkeyPatch) -> None:
    """A damaged copy is sent as it is."""
    true = transfer_effects.classify

    def classify(step: verdicts.Step, error: Any, known: verdicts.Circumstances) -> verdicts.Verdict:
        if isinstance(error, err.StagedDamaged):
            return verdicts.Retry(1.0)
        return true(step, error, known)

    patch.setattr(transfer_effects, "classify", classify)


def rejects_in_an_outage(patch: pytest.MonkeyPatch) -> None:
    """An unreadable folder is the file's fault at once."""
    patch.setattr(claim_effects, "classify", lambda _step, error, _known: verdicts.Reject(str(error)))


def counts_nothing(patch: pytest.MonkeyPatch) -> None:
    """What is running does not count towards the limits."""
    patch.setattr(PlanningPass, "running", lambda *_: 0)


def forgets_what_was_sent(patch: pytest.MonkeyPatch) -> None:
    """An `initiate` is not counted before it is sent."""
    patch.setattr(initiate_events, "initiating", lambda now, _: Change(now))


def keeps_the_refused(patch: pytest.MonkeyPatch) -> None:
    """A session is given up for a file that nobody takes, and the file is uploaded again."""
    patch.setattr(session_events, "reject", lambda *_: None)


def waits_for_nothing(patch: pytest.MonkeyPatch) -> None:
    """Whatever a step is delayed by, it is due at once."""
    true = change_module._delayed
    patch.setattr(change_module, "_delayed", lambda row, now, reason, _: true(row, now, reason, 0.0))


def forgets_the_halves(patch: pytest.MonkeyPatch) -> None:
    """A refused batch is given up, and its halves are not kept apart."""
    patch.setattr(session_effects, "after_refused_complete", lambda *_, **__: Fates())


def begins_what_is_paused(patch: pytest.MonkeyPatch) -> None:
    """A pause keeps nothing from being opened that was planned before it."""
    patch.setattr(PlanningPass, "unopened", lambda *_: False)


def pauses_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A pause does not end by itself."""
    patch.setattr(planning_pass, "in_force", lambda pauses, _: tuple(pauses))


def knows_no_member(patch: pytest.MonkeyPatch) -> None:
    """What an archive brings is new each time."""
    patch.setattr(archive_events, "taken_over", lambda *_: None)


def enters_the_last_piece_alone(patch: pytest.MonkeyPatch) -> None:
    """The commits before the one that ends an archive bring nothing."""
    true = archive_commits._enter

    def enter(rows: Any, archive: Any, members: Any, destination: Any, *, unsure: bool) -> None:
        ending = rows.file(archive.id).state is FileState.UNPACKED
        true(rows, archive, members if ending else (), destination, unsure=unsure)

    patch.setattr(archive_commits, "_enter", enter)


def lets_archives_go(patch: pytest.MonkeyPatch) -> None:
    """The source of an archive goes as soon as it is unpacked."""
    patch.setattr(row_queries, "OF_ARCHIVE_UNFINISHED", "archive_id = ? AND 0")


def keeps_no_copy(patch: pytest.MonkeyPatch) -> None:
    """The copies of an archive go before its members have theirs, and nobody has it unpacked again."""
    patch.setattr(archive_events, "unpack_again", lambda *_: None)


def forgets_what_left_an_archive(patch: pytest.MonkeyPatch) -> None:
    """What a changed archive does not hold any more is waited for."""
    patch.setattr(archive_events, "gone", lambda now, _: Change(now))


IN_ARCHIVES: list[Plant] = [
    knows_no_member,
    enters_the_last_piece_alone,
    lets_archives_go,
    keeps_no_copy,
    forgets_what_left_an_archive,
]

PLANTED: list[Plant] = [
    begins_what_is_paused,
    pauses_for_ever,
    counts_nothing,
    gives_up_on_doubt,
    forgets_doubt,
    leaves_members_behind,
    completes_on_loss,
    takes_what_changed,
    takes_what_is_not_quiet,
    deletes_what_changed,
    joins_the_halves,
    forgets_retry_after,
    never_frees_the_platform,
    never_frees_the_target,
    disposes_before_readback,
    reads_nothing_back,
    batches_twice,
    parks_without_a_probe,
    probes_with_everything,
    calls_before_the_time,
    completes_too_early,
    fails_under_way,
    begins_with_many,
    does_two_things,
    looks_for_what_is_gone,
    forgets_damage,
    rejects_in_an_outage,
    forgets_what_was_sent,
    keeps_the_refused,
    waits_for_nothing,
    forgets_the_halves,
]
