"""What a receipt keeps of a file, and when it is written."""

from __future__ import annotations

import json

import pytest

from uploader.core.receipts import MOST_WARNINGS, TOLD, shortened, told_anew
from uploader.core.transitions.change import Change

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def test_warnings_keep_their_codes_whatever_their_texts_take() -> None:
    """The first that does not fit is cut; what fits is as it was."""
    short = [{"code": "a", "text": "One."}]
    assert shortened(short) == short

    found = shortened([{"code": f"c{n}", "text": "x" * 150} for n in range(4)])
    assert [one["code"] for one in found] == ["c0", "c1", "c2", "c3"]
    assert [len(one.get("text", "")) for one in found] == [150, MOST_WARNINGS - 150 + 1, 0, 0]


def test_only_what_a_receipt_tells_has_it_written() -> None:
    """A file whose other columns change keeps the receipt that it has, or has none yet."""
    change = Change(NOW)
    change.files = {1: {"tries": 1}, 2: {"item_id": "i"}, 3: {"disposal": "kept", "tries": 0}}

    assert told_anew(change) == [2, 3]
    assert json.dumps(sorted(TOLD))
