"""When staging counts as refusing everything, and which files it refuses while it takes others."""

from __future__ import annotations

import pytest

from uploader.core.model import FileState
from uploader.core.staging_refusals import LASTING, RefusedFile, StagingRefusals
from uploader.core.transitions.change import LogLine

pytestmark = pytest.mark.unit


def refused(reason: str, now: float, file_id: int = 1, *, alone: bool = False) -> RefusedFile:
    """A file that was refused just now."""
    return RefusedFile(file_id, "/d/a.tif", 9, reason, "", now, now + 30, settles=True, alone=alone)


def test_what_is_refused_for_a_while_is_told() -> None:
    """From the first refusal on, in the words of the last one."""
    refusals = StagingRefusals()
    assert refusals.trouble(1e9) == ""

    refusals.refused(refused("It is full.", 100.0))
    refusals.refused(refused("Its quota is used up.", 110.0, 2))
    assert refusals.trouble(100.0 + LASTING - 1) == ""
    assert refusals.trouble(100.0 + LASTING) == "Its quota is used up."


def test_one_success_ends_it() -> None:
    """A smaller file that passes shows that something can be written."""
    refusals = StagingRefusals()
    refusals.refused(refused("It is full.", 100.0))
    refusals.took(2)
    assert refusals.trouble(1e9) == ""

    refusals.refused(refused("It is full.", 500.0))
    assert refusals.trouble(500.0 + LASTING) == "It is full."


def test_a_file_that_others_pass_is_told_alone_until_it_is_taken() -> None:
    """Since its first refusal, and not as trouble of all; other files' success does not end that."""
    refusals = StagingRefusals()
    refusals.refused(refused("It is full.", 100.0))
    assert not refusals.passed(1)
    refusals.took(2)
    assert refusals.passed(1)
    assert not refusals.passed(2)

    refusals.refused(refused("It is full.", 130.0, alone=True))
    refusals.took(2)
    (file,) = refusals.alone()
    assert (file.since, file.until, refusals.trouble(1e9)) == (100.0, 160.0, "")

    refusals.took(1)
    assert (refusals.alone(), refusals.passed(1)) == ((), False)


@pytest.mark.parametrize("state", [FileState.GONE, FileState.REJECTED])
def test_a_file_that_has_ended_is_refused_no_more(state: FileState) -> None:
    """That of another file, or a step of its own that is no end, changes nothing."""
    refusals = StagingRefusals()
    refusals.refused(refused("It is too large.", 100.0, alone=True))
    refusals.committed([LogLine("moved", FileState.QUEUED, "", 1), LogLine("moved", state, "", 2)])
    assert len(refusals.alone()) == 1

    refusals.committed([LogLine("moved", state, "", 1)])

    assert refusals.alone() == ()
