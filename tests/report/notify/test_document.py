"""An alarm as a document: its fields, and what must not be in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from uploader.core.alarms import Alarm, Event, Notice
from uploader.report.notify.document import MOST, Sender, document

pytestmark = pytest.mark.unit

OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"
ALARM = Alarm("quota", "organization", "", "Full.", "Make room.", 1_800_000_000.0, 3, 4096)


def test_every_field_is_told_of_in_the_documents() -> None:
    """Whoever writes a receiver reads them there."""
    told = document(Notice(Event.ALARM, ALARM), Sender("h", "state"), 1_800_000_060.0, 7)
    text = OPERATIONS.read_text()

    assert told["since"] == "2027-01-15T08:00:00.000+00:00"
    assert (told["event"], told["files"], told["bytes"], told["revision"]) == ("alarm", 3, 4096, 7)
    assert [name for name in told if not re.search(rf"^\| [^|]*`{name}`", text, re.MULTILINE)] == []


def test_nothing_secret_and_nothing_endless_is_in_it() -> None:
    """Reasons quote answers, and subjects are names that somebody dropped."""
    alarm = Alarm(
        "mistake",
        "file",
        "/d/\ud800\n.tif",
        "It said Authorization: Bearer abcdefghijkl and https://h/x?X-Goog-Signature=abc gpra_canary",
        "x" * 5000,
        1.0,
    )
    told = document(Notice(Event.CLEAR, alarm, repeated=True), Sender("h", "s"), 2.0, 1)
    text = json.dumps(told)

    assert not re.search("abcdefghijkl|Signature=abc|canary", text)
    assert len(str(told["way_out"])) == MOST
    assert json.loads(text.encode("ascii")) == told
