"""What there is to be told of: holds by their age, a disk near its reserve, and whether all stages move."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from uploader.config import Settings
from uploader.core.model import Hold, HoldCause, Scope
from uploader.daemon.alarm_watch import NO_TURN, AlarmWatch
from uploader.daemon.live_status import LastTurn
from uploader.journal import HoldList

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

RESERVE = 1000


def watch(
    seen: LastTurn, *holds: Hold, counted: Sequence[Hold] = (), stalled_after: float = 300.0
) -> AlarmWatch:
    """A watch over these holds."""
    settings = Settings(notify={"stalled_after": stalled_after}, limits={"min_free_bytes": RESERVE})
    ledger: Any = SimpleNamespace(look=lambda: HoldList(holds, 3))

    async def counts() -> Sequence[Hold]:
        return counted

    live: Any = SimpleNamespace(counted_holds=counts)
    return AlarmWatch(lambda: settings, ledger, seen, live)


def held(cause: HoldCause, ago: float, **more: Any) -> Hold:
    """A hold of this age in seconds."""
    return Hold(Scope.STAGE, "put", "Why.", "How.", since=time.time() - ago, cause=cause, **more)


async def test_what_is_told_has_its_files_and_bytes() -> None:
    """Whether there is something to tell costs no question to the journal; what is told asks once."""
    made = watch(LastTurn(), held(HoldCause.QUOTA, 1), counted=[held(HoldCause.QUOTA, 1, files=4, size=50)])
    (alarm,), (counted,) = made.alarms(()), await made.counted(())

    assert (alarm.files, counted.files, counted.size) == (0, 4, 50)
    assert made.revision == 3


def test_a_disk_near_its_reserve_is_an_alarm_when_it_lasts() -> None:
    """One that does not answer is none: a hold says that; and above twice the reserve all is well."""
    seen = LastTurn(free_bytes=2 * RESERVE - 1)
    made = watch(seen, stalled_after=0.2)
    assert made.alarms(()) == ()
    time.sleep(0.3)
    (alarm,) = made.alarms(())
    assert (alarm.cause, alarm.scope) == ("disk_low", "staging")
    seen.free_bytes = 2 * RESERVE + 1
    assert [one.cause for one in made.alarms([alarm.key])] == ["disk_low"]
    seen.free_bytes = 3 * RESERVE
    assert made.alarms([alarm.key]) == ()
    seen.free_bytes = None
    assert made.alarms([alarm.key]) == ()


@pytest.mark.parametrize(
    ("cause", "ago", "moving"),
    [
        (HoldCause.QUOTA, 9999, True),
        (HoldCause.STALLED, 1, False),
        (HoldCause.JOURNAL_SLOW, 200, True),
        (HoldCause.JOURNAL_SLOW, 400, False),
    ],
)
def test_the_heart_beats_while_all_stages_move(cause: HoldCause, ago: float, moving: bool) -> None:
    """What waits for a person or the platform does not stop it: an alarm tells of that."""
    assert watch(LastTurn(), held(cause, ago)).moving() is moving


def test_the_heart_does_not_beat_for_a_loop_that_stands_still() -> None:
    """Nobody else would tell: the holds are those that it saw last."""
    assert watch(LastTurn(), stalled_after=1.0).moving()
    assert not watch(LastTurn(at=time.monotonic() - NO_TURN - 1), stalled_after=1.0).moving()
