"""What a look at one file changes."""

from __future__ import annotations

import pytest

from tests.core.test_settle_queue import HELD, WHOLE, sighted
from uploader.core.model import Sighting
from uploader.core.settle_entry import ARRIVING, LookChange, entry_of
from uploader.core.settle_rules import Checked, Extent, LookVerdict, Next, Phase, SettleRule

pytestmark = pytest.mark.unit

PLAIN, MARKED = SettleRule(10.0, "oldest"), SettleRule(10.0, "oldest", marker=True)
CONTROL = b"a.tif.part"


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (sighted(), sighted(), LookChange.NONE),
        (sighted(), sighted(1), LookChange.WRITTEN),
        (sighted(), sighted(control=CONTROL), LookChange.WRITTEN),
        (sighted(control=CONTROL), sighted(), LookChange.ANNOUNCED),
        (sighted(), sighted(marked=True), LookChange.ANNOUNCED),
        (sighted(marked=True), sighted(), LookChange.NONE),
        (sighted(control=CONTROL), sighted(1), LookChange.WRITTEN),
    ],
)
def test_a_change_starts_the_quiet_anew(before: Sighting, after: Sighting, change: LookChange) -> None:
    """So do a marker that comes and a control file that goes: both speak for what lies there now."""
    entry = entry_of(1, before, 0.0)

    assert entry.note(after, 5.0) is change
    assert entry.quiet_since == (0.0 if change is LookChange.NONE else 5.0)


@pytest.mark.parametrize(
    ("rule", "sighting", "seen_at", "checked", "verdict"),
    [
        (PLAIN, sighted(), 9.0, WHOLE, LookVerdict(Next.WAIT, 10.0)),
        (PLAIN, sighted(), 10.0, WHOLE, LookVerdict(Next.READY, phase=Phase.READY)),
        (PLAIN, sighted(), 10.0, None, LookVerdict(Next.WAIT, 10.0)),
        (PLAIN, sighted(), 10.0, HELD, LookVerdict(Next.WAIT, 20.0, Phase.WRITTEN)),
        (PLAIN, sighted(), 10.0, Checked(None, Extent(False, 9)), LookVerdict(Next.SHORT, needs=9)),
        (
            PLAIN,
            sighted(control=CONTROL),
            10.0,
            WHOLE,
            LookVerdict(Next.WAIT, 10.0 + ARRIVING, Phase.DEFERRED),
        ),
        (MARKED, sighted(), 10.0, WHOLE, LookVerdict(Next.WAIT, None)),
        (
            MARKED,
            sighted(marked=True, control=CONTROL),
            1.0,
            HELD,
            LookVerdict(Next.READY, phase=Phase.READY),
        ),
    ],
)
def test_what_follows_from_a_look_that_shows_no_change(
    rule: SettleRule, sighting: Sighting, seen_at: float, checked: Checked | None, verdict: LookVerdict
) -> None:
    """Arriving before quiet, quiet before a writer, a writer before the end of the file."""
    entry = entry_of(1, sighting, 0.0)
    entry.note(sighting, seen_at)

    assert entry.verdict(rule, seen_at, checked) == verdict
