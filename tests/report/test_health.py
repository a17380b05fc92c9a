"""When a daemon that answers is unwell all the same."""

from __future__ import annotations

import pytest

from uploader.report.health import health

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
LATELY, BEFORE = "2027-01-15T07:59:00+00:00", "2027-01-15T07:50:00+00:00"


def hold(cause: str, since: str = BEFORE) -> dict[str, str]:
    """A hold of a status."""
    return {"scope": "any", "cause": cause, "reason": f"{cause} it is.", "since": since}


@pytest.mark.parametrize("cause", ["key_refused", "quota", "folder_missing", "staging_full", "mistake"])
def test_what_a_restart_would_not_mend_is_not_unwell(cause: str) -> None:
    """It is a hold, which is told with the revision of the list."""
    line, body = health({"holds": [hold(cause)], "revision": 4}, NOW)

    assert (line, body) == ("200 OK", b"ok, revision 4, 1 held\n")


def test_a_stage_that_stands_still_is_unwell() -> None:
    """In its words."""
    line, body = health({"holds": [hold("quota"), hold("stalled", LATELY)], "revision": 5}, NOW)

    assert line == "503 Service Unavailable"
    assert body == b"unwell, revision 5, 2 held\nstalled it is.\n"


def test_a_journal_that_hangs_is_unwell_after_a_while() -> None:
    """A disk that is slow for a minute is none of anybody's business."""
    assert health({"holds": [hold("journal_slow", LATELY)]}, NOW)[0] == "200 OK"
    assert health({"holds": [hold("journal_slow")]}, NOW)[0] == "503 Service Unavailable"
