"""The JSON object of a receipt."""

from __future__ import annotations

import json

import pytest

from tests.support.receipts import COLUMNS
from uploader.core.receipt_document import LATER, beside_the_source, crc32c_text, document, whole_path

pytestmark = pytest.mark.unit


def test_hashes_and_times_are_told_as_others_tell_them() -> None:
    """Hex, base64 of four bytes, ISO 8601; a path is whole whatever its bytes are."""
    told = document({**COLUMNS, "path": b"sub/a\xff.tif"})

    assert told["path"] == "/srv/drop/sub/a\udcff.tif"
    assert told["object"] == {"sha256": "6f" * 32, "md5": "6d" * 16, "crc32c": "AAAABw==", "size": 12}
    assert (told["seen"], told["completed"]) == (
        "2025-10-09T08:53:20.000+00:00",
        "2025-10-09T08:53:23.000+00:00",
    )
    assert crc32c_text(None) is None
    assert whole_path({"folder": "/", "path": b"a.tif"}) == "/a.tif"


def test_what_lies_beside_a_source_does_not_depend_on_when_it_is_asked_for() -> None:
    """A disposal that is repeated after a kill writes the same bytes."""
    later = {"state": "disposed", "readback": "counted", "disposal": "archived", "archived_as": b"/old/a.tif"}

    assert beside_the_source(COLUMNS) == beside_the_source({**COLUMNS, **later})
    assert LATER[0] not in json.loads(beside_the_source(COLUMNS))
    assert beside_the_source(COLUMNS).isascii()
