"""What becomes of the files of a session that is given up."""

from __future__ import annotations

import pytest

from uploader.core.complete_refusal import Bisect, HoldTarget, Judgement, RejectFiles, Resend
from uploader.core.model import Scope
from uploader.core.transitions.fates import (
    Fates,
    SentAgain,
    after_loss,
    after_refused_complete,
    after_refused_put,
)
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


def test_the_second_loss_in_a_row_holds_the_target() -> None:
    """One file that has lost its session before is enough; the first loss holds nobody."""
    first = FileRecord(id=1, folder="/d", path=b"1", sighting="")
    again = FileRecord(id=2, folder="/d", path=b"2", sighting="", losses=1)

    assert after_loss([first], "404") is None
    park = after_loss([first, again], "404")
    assert park is not None
    assert (park.scope, "(404)" in park.reason) == (Scope.TARGET, True)
