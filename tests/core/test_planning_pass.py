"""The gates that every rule of a plan passes through."""

from __future__ import annotations

import pytest

from tests.support.configured import settings_with
from uploader.core import actions
from uploader.core.model import Hold, Scope
from uploader.core.planner_view import PlannerView
from uploader.core.planning_pass import CALLS, OUTAGE_SHOWN_AFTER, PlanningPass
from uploader.core.unexpected_errors import UnexpectedError

pytestmark = pytest.mark.unit

NOW = 1000.0
GATE = (Scope.TARGET, "p")


def turn(**view: object) -> PlanningPass:
    """A turn on a view with these parts."""
    return PlanningPass(PlannerView(destinations={}, **view), NOW, settings_with())  # type: ignore[arg-type]


def held(until: float | None, scope: Scope = Scope.TARGET, subject: str = "p") -> tuple[Hold, ...]:
    """One hold."""
    return (Hold(scope, subject, "because", until=until),)


def test_what_is_decided_on_is_busy_for_the_rules_that_follow() -> None:
    """No two rules of one turn act on one file; what already runs is busy from the start."""
    now = turn(busy=frozenset({("file", 1)}))
    now.do(actions.Convert(2))

    assert [now.busy("file", n) for n in (1, 2, 3)] == [True, True, False]
    assert not now.busy("session", 2)


@pytest.mark.parametrize(("until", "busy"), [(NOW + 1, True), (NOW, False)])
def test_whom_a_mistake_concerns_rests_until_its_time(until: float, busy: bool) -> None:
    """It is neither busy for ever nor taken up at once."""
    mistake = UnexpectedError(("file", 1), "Convert", "a.tif", "broken", NOW - 9, until, 1)

    assert turn(mistakes=(mistake,)).busy("file", 1) is busy


def test_running_actions_are_counted_by_class() -> None:
    """A class of which none runs counts as none."""
    assert [turn(running={"Put": 2}).running(kind) for kind in ("Put", "Claim")] == [2, 0]


def test_without_holds_every_gate_is_open() -> None:
    """That is how it mostly is."""
    assert turn().open(GATE, (Scope.PLATFORM, "")) is True


def test_the_earliest_reason_to_look_again_counts() -> None:
    """In whatever order they are found."""
    now = turn()
    for at in (NOW + 9, NOW + 3, NOW + 5):
        now.wake(at)

    assert now.plan.wake_at == NOW + 3


def test_a_row_that_is_not_due_wakes_the_next_turn() -> None:
    """A short retry is waited for; one that has lasted counts as a hold, so that `--until-idle` may end."""
    short, long = turn(), turn()

    assert turn().due(NOW)
    assert not short.due(NOW + 5, NOW - OUTAGE_SHOWN_AFTER + 1)
    assert not long.due(NOW + 5, NOW - OUTAGE_SHOWN_AFTER)
    assert (short.expecting, long.expecting) == (True, False)
    assert (short.plan.wake_at, long.plan.wake_at) == (NOW + 5, NOW + 5)


@pytest.mark.parametrize(("until", "wakes"), [(NOW + 4, NOW + 4), (None, None)])
def test_a_hold_closes_its_gate(until: float | None, wakes: float | None) -> None:
    """Others stay open. The turn wakes when it is due; a hold that waits for a person wakes nobody."""
    now = turn(holds=held(until))

    assert not now.open(GATE)
    assert now.open((Scope.TARGET, "q"), (Scope.PLATFORM, ""))
    assert now.plan.wake_at == wakes


def test_a_hold_that_is_due_lets_one_probe_through() -> None:
    """The next call finds the gate closed until the probe has come back."""
    now = turn(holds=held(NOW))

    assert now.open(GATE)
    now.passed(GATE)
    assert not now.open(GATE)


@pytest.mark.parametrize("kind", sorted(CALLS))
def test_a_call_that_runs_is_the_probe(kind: str) -> None:
    """Two at once would tell no more than one."""
    assert not turn(holds=held(NOW), running={kind: 1}).open(GATE)
    assert turn(holds=held(NOW), running={kind: 0, "Convert": 1}).open(GATE)


def test_all_gates_are_asked_so_that_each_wakes() -> None:
    """The first that is closed does not hide when the second opens."""
    holds = (*held(NOW + 9), *held(NOW + 2, Scope.PLATFORM, ""))
    now = turn(holds=holds)

    assert not now.open(GATE, (Scope.PLATFORM, ""))
    assert now.plan.wake_at == NOW + 2


def test_a_shown_hold_ends_with_its_time() -> None:
    """It is looked at again then."""
    now = turn()
    now.show(Hold(Scope.STAGING, "", "full", until=NOW + 30))

    assert (len(now.plan.holds), now.plan.wake_at) == (1, NOW + 30)


@pytest.mark.parametrize(("until", "ripe", "wakes"), [(NOW, True, None), (NOW + 5, False, NOW + 5)])
def test_a_scope_is_tried_when_it_is_due(until: float, ripe: bool, wakes: float | None) -> None:
    """And wakes the turn where it is not."""
    now = turn(holds=held(until, Scope.MACHINE, ""))

    assert now.held(Scope.MACHINE)
    assert now.ripe(Scope.MACHINE) is ripe
    assert now.plan.wake_at == wakes
