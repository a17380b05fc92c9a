"""What a receipt keeps of a file."""

from __future__ import annotations

import pytest

from uploader.core.receipts import MOST_WARNINGS, group_hash, hashes, shortened

pytestmark = pytest.mark.unit


def test_warnings_keep_their_codes_whatever_their_texts_take() -> None:
    """The first that does not fit is cut; what fits is as it was."""
    short = [{"code": "a", "text": "One."}]
    assert shortened(short) == short

    found = shortened([{"code": f"c{n}", "text": "x" * 150} for n in range(4)])
    assert [one["code"] for one in found] == ["c0", "c1", "c2", "c3"]
    assert [len(one.get("text", "")) for one in found] == [150, MOST_WARNINGS - 150 + 1, 0, 0]


def test_a_hash_that_is_said_twice_is_kept_once() -> None:
    """That of a raster without sidecars is the one of its group; what is not known stays so."""
    own = bytes(range(32))
    for content, sha256 in ((own.hex(), own), ("00" * 32, own), (own.hex(), None)):
        assert hashes(content, group_hash(content, sha256)) == (content, sha256)
    assert group_hash(own.hex(), own) == b""
    assert hashes(None, own) == (own.hex(), own), "as receipts were before schema 7"
    assert hashes(None, None) == (None, None)
