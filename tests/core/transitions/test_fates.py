"""What becomes of the files of a session that is given up."""

from __future__ import annotations

import pytest

from uploader.core.complete_refusal import Bisect, HoldTarget, Judgement, RejectFiles, Resend
from uploader.core.transitions.fates import Fates, SentAgain, after_refused_complete, after_refused_put
from uploader.core.transitions.records import FileRecord

pytestmark = pytest.mark.unit

MEMBERS = [
    FileRecord(id=n, folder="/d", path=b"%d" % n, sighting="", attempts=attempts)
    for n, attempts in ((11, 0), (12, 1), (13, 4))
]


@pytest.mark.parametrize(
    ("judgement", "expected"),
    [
        (Resend((0, 1)), SentAgain([11, 12])),
        (Resend((1, 2)), Fates(rejected={13: "422"})),
        (RejectFiles((1,)), Fates(rejected={12: "The platform does not take the file (no)."})),
        (HoldTarget(), Fates()),
        (Bisect((0, 1), (2,)), Fates(groups={11: "4.a", 12: "4.a", 13: "4.b"})),
    ],
)
def test_a_refusal_of_complete_decides_who_stays(judgement: Judgement, expected: Fates | SentAgain) -> None:
    """Missing bytes are sent again until an attempt is the last; named files end; else the batch is halved."""
    fate = after_refused_complete(judgement, 4, MEMBERS, "422", said="no", max_attempts=5)

    assert fate == expected


def test_a_put_that_fails_for_good_uses_up_an_attempt() -> None:
    """The last one rejects the file."""
    assert after_refused_put(MEMBERS[1], "403", 5) == Fates(counted=[12])
    assert after_refused_put(MEMBERS[2], "403", 5) == Fates(rejected={13: "403"})
