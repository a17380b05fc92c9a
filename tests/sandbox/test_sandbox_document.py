"""docs/sandbox.md knows every switch and every control request of the sandbox, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from uploader.sandbox import flags, test_control

pytestmark = pytest.mark.unit

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
SOURCES = ("guide", "quickstart", "schema", "docs", "store", "inference", "our own")


def test_every_switch_is_told() -> None:
    """A switch without its row, or a row without its switch, is a promise that nobody keeps."""
    told = set(re.findall(r"--[a-z][a-z-]+", TEXT))

    assert told == {one.flag for one in flags()}


def test_every_row_names_its_source() -> None:
    """Each behaviour says where it is from."""
    rows = [row for row in re.findall(r"^\|(.+)\|(.+)\|(.*)\|$", TEXT, re.MULTILINE) if "---" not in row[0]]
    told = [row for row in rows if row[0].strip() != "behaviour"]

    assert len(told) > 80
    assert set(re.findall(r"`(--[a-z-]+)`", " ".join(row[2] for row in told))) <= {
        one.flag for one in flags()
    }
    assert [row for row in told if not any(source in row[1] for source in SOURCES)] == []


def test_every_control_request_is_told() -> None:
    """The handlers and the table are the same."""
    told = set(re.findall(r"`(GET|POST|DELETE) (\w+)`", TEXT))

    assert told == set(test_control._HANDLERS)
