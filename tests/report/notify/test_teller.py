"""One way out: what is told once, what is tried again, and what does not hold up the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from uploader.core.alarms import Alarm, Rejection, of_rejections
from uploader.report.notify.document import Document, Sender, document
from uploader.report.notify.teller import AGAIN, AGAIN_AT_MOST, Rhythm, Teller
from uploader.report.notify.ways import NotDelivered

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

KEY = Alarm("key_refused", "platform", "", "Refused.", "Put another.", 1.0)
QUOTA = Alarm("quota", "organization", "", "Full.", "Make room.", 1.0)
RHYTHM = Rhythm(repeat_every=3600.0, clear_after=60.0)


class Side:
    """A teller at a time that the test sets, and a way that takes what it should."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.taken: list[str] = []
        self.tried = 0
        self.refuses: set[str] = set()
        self.away = False
        origin = Sender("h", "s")
        self.teller = Teller(
            "webhook",
            lambda notice, now: document(notice, origin, now, 1),
            clock=lambda: self.now,
            jitter=lambda: 1.0,
        )

    async def send(self, document: Document) -> None:
        """See `Way`."""
        self.tried += 1
        if self.away:
            raise NotDelivered("Nobody is there.")
        if document["cause"] in self.refuses:
            raise NotDelivered("It answers HTTP 400.", refused=True)
        self.taken.append(f"{document['event']} {document['cause']}")

    async def after(self, seconds: float, *alarms: Alarm) -> Sequence[str]:
        """What was taken so many seconds later."""
        self.now, self.taken = self.now + seconds, []
        await self.teller.tell(self, alarms, RHYTHM, self.now)
        return self.taken


async def test_what_was_not_delivered_is_tried_again_later_and_later() -> None:
    """From five seconds to ten minutes; then it is told once, and nothing is wrong any more."""
    side, waits = Side(), []
    side.away = True
    await side.after(0, KEY)
    assert "Nobody is there." in side.teller.trouble
    for _ in range(12):
        before, seconds = side.tried, 0
        while side.tried == before:
            await side.after(1, KEY)
            seconds += 1
        waits.append(seconds)
    assert waits[:4] == [AGAIN, 2 * AGAIN, 4 * AGAIN, 8 * AGAIN]
    assert waits[-1] == AGAIN_AT_MOST

    side.away = False
    assert await side.after(AGAIN_AT_MOST, KEY) == ["alarm key_refused"]
    assert (await side.after(1, KEY), side.teller.trouble) == ([], "")


async def test_what_ended_before_it_could_be_told_is_not_told() -> None:
    """Nobody needs an alarm of what is over; the log has it."""
    side = Side()
    side.away = True
    await side.after(0, KEY)
    side.away = False
    assert await side.after(AGAIN) == []


async def test_a_document_that_is_refused_does_not_hold_up_the_others() -> None:
    """It is tried again after the pause, as every failure."""
    side = Side()
    side.refuses = {"key_refused"}
    assert await side.after(0, KEY, QUOTA) == ["alarm quota"]
    assert side.teller.trouble == "It answers HTTP 400."
    side.refuses = set()
    assert await side.after(1, KEY, QUOTA) == []
    assert await side.after(AGAIN, KEY, QUOTA) == ["alarm key_refused"]


async def test_rejected_files_are_told_once_and_have_no_all_clear() -> None:
    """They are no condition that could end; until they are told they stay on the list."""
    side = Side()
    side.teller.rejected = [*of_rejections([Rejection("/d", "/d/a.tif", "It is no raster.", 5, 1.0)])]
    side.away = True
    await side.after(0)
    assert len(side.teller.rejected) == 1
    side.away = False
    assert await side.after(AGAIN) == ["alarm files_rejected"]
    assert (side.teller.rejected, side.teller.told) == ([], {})
    assert await side.after(7200) == []
