"""What ends a hold: the first call, transfer or conversion that succeeds, and nothing that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.tools import few
from uploader.core import errors as err
from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.verdicts import Park
from uploader.effects.context import Tools, action_began

pytestmark = pytest.mark.unit

HELD = {
    "platform": Hold(Scope.PLATFORM, "", "no", cause=HoldCause.PLATFORM_UNREACHABLE),
    "store": Hold(Scope.PLATFORM, "", "no", cause=HoldCause.STORE_UNREACHABLE),
    "machine": Hold(Scope.MACHINE, "", "no", cause=HoldCause.CONVERTER_BROKEN),
    "target": Hold(Scope.TARGET, "p", "no", cause=HoldCause.TARGET_REFUSED),
}


class Ended:
    """The journal's holds: which of them were ended."""

    def __init__(self) -> None:
        self.holds = self
        self.ended: list[str] = []

    async def clear(self, scope: Scope, subject: str = "", *, due_since: float | None = None) -> None:
        """See `Holds.clear`."""
        self.ended.append(str(scope) if due_since is not None else f"{scope}, and nobody is hastened")

    async def transfers_due(self, since: float) -> None:
        """See `Holds.transfers_due`."""
        self.ended.append("store")


def tools(*held: str) -> tuple[Tools, list[str]]:
    """Tools that know of these holds, and what they end."""
    journal = Ended()
    made = few(journal=journal, answered_at=0.0, stored_at=0.0, began=1.0, asked_to_wait_until=0.0)
    made.note_holds([HELD[name] for name in held])
    return made, journal.ended


@pytest.mark.parametrize(
    ("held", "calls", "transfers", "conversions"),
    [
        ((), [], [], []),
        (("platform",), ["platform"], [], []),
        (("store",), [], ["store"], []),
        (("machine",), [], [], ["machine"]),
        (("target",), [], [], []),
        (("platform", "store", "machine"), ["platform"], ["store"], ["machine"]),
    ],
)
async def test_each_proof_ends_what_it_proves(
    held: tuple[str, ...], calls: list[str], transfers: list[str], conversions: list[str]
) -> None:
    """A signed URL says nothing of the store, and each end is told to the journal once."""
    for name, expected in (("reached", calls), ("store_took", transfers), ("converter_works", conversions)):
        made, ended = tools(*held)
        for _ in range(3):
            await getattr(made, name)()
        assert ended == expected


@pytest.mark.parametrize(("began", "expected"), [(99.0, []), (100.0, ["platform"]), (101.0, ["platform"])])
async def test_an_answer_to_a_call_from_before_a_hold_does_not_end_it(
    began: float, expected: list[str]
) -> None:
    """The key was revoked meanwhile: the hold would end, begin again, and be alarmed of twice."""
    made, ended = tools("platform")
    made.note_holds([replace(HELD["platform"], since=100.0)])
    action_began.set(began)
    await made.reached()
    assert ended == expected
    assert made.answered_at > 0


async def test_it_is_known_when_platform_and_store_last_did_their_part() -> None:
    """By that the plan sees whom an outage is to be blamed on."""
    made, _ = tools()
    await made.reached()
    assert (made.answered_at > 0, made.stored_at) == (True, 0.0)
    await made.store_took()
    assert made.stored_at >= made.answered_at
    before = made.answered_at
    made.set_back(3600)
    assert made.answered_at == before - 3600


@pytest.mark.parametrize(
    ("scope", "subject"), [(Scope.TARGET, "p"), (Scope.PLATFORM, ""), (Scope.ORGANIZATION, "")]
)
def test_a_hold_is_what_the_verdict_asks_for(scope: Scope, subject: str) -> None:
    """With its cause and its time; only a target's has a subject."""
    park = Park(scope, HoldCause.QUOTA, "why", "how", 60.0)
    hold = few().hold(park, "p")

    assert (hold.scope, hold.subject, hold.cause, hold.text) == (scope, subject, HoldCause.QUOTA, "why how")
    assert hold.until == hold.since + 60


async def test_who_was_asked_to_wait_is_not_hastened() -> None:
    """A Retry-After of one call is for all: the hold ends, and pauses last until it is over."""
    made, ended = tools("platform", "store")
    await made.answered(err.NoAnswer("busy", retry_after=3600.0))
    await made.reached()
    await made.store_took()
    assert ended == ["platform, and nobody is hastened"]
