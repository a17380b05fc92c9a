"""What a record of the platform says against a receipt: a difference only where both know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.receipts import COLUMNS
from uploader.core.receipt_audit import (
    Difference,
    Kind,
    asset_differences,
    file_differences,
    gone,
    item_differences,
)

pytestmark = pytest.mark.unit

ROW = {**COLUMNS, "collection_id": "c-1"}
NAME = "a-000000000001.tif"


def told(found: Any) -> list[tuple[Kind, str, str, str]]:
    """Kind, field and both values of each difference."""
    return [(one.kind, one.field, one.ours, one.theirs) for one in found]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"name": "a-000000000001", "collection_id": "c-1"}, []),
        ({"assets": [{"href": f"https://x/{NAME}?sig=1"}]}, []),
        ({"name": "Berlin"}, [(Kind.CHANGED, "name", NAME, "Berlin")]),
        ({}, [(Kind.CHANGED, "name", NAME, "")]),
        ({"name": "b-000000000002"}, [(Kind.CHANGED, "name", NAME, "b-000000000002")]),
        ({"name": NAME, "collection_id": "c-2"}, [(Kind.CHANGED, "collection", "c-1", "c-2")]),
        ({"name": NAME, "collection_id": 7}, []),
        ({"name": NAME, "file_size_bytes": 13}, [(Kind.CHANGED, "size", "12", "13")]),
        ({"name": NAME, "file_size_bytes": "13", "checksum_crc32c": None}, []),
    ],
)
def test_an_item_is_compared_where_it_tells(record: dict[str, Any], expected: list[Any]) -> None:
    """A name that came back once has to come back; values of odd types say nothing."""
    assert told(item_differences(ROW, record)) == expected


def test_a_name_that_never_came_back_is_not_missed() -> None:
    """Of a platform that shows no names nothing follows."""
    assert told(item_differences({**ROW, "readback": "counted"}, {"name": "Berlin"})) == []


def test_a_file_is_compared_by_size_and_hash_as_far_as_both_know() -> None:
    """A receipt of an earlier version may know less."""
    record = {"size_bytes": 13, "crc32c": "AAAACA=="}

    assert told(file_differences(ROW, record)) == [
        (Kind.CHANGED, "size", "12", "13"),
        (Kind.CHANGED, "crc32c", "AAAABw==", "AAAACA=="),
    ]
    assert told(file_differences({**ROW, "object_size": None, "object_crc32c": None}, record)) == []


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        ([{"file_name": "b-000000000002.tif"}, {"file_name": NAME, "file_size_bytes": 12}], []),
        ([{"key": "data", "file_size_bytes": 13}], [(Kind.CHANGED, "size", "12", "13")]),
        ([], [(Kind.MISSING, "asset", NAME, "")]),
        ([{"file_name": "b-000000000002.tif"}], [(Kind.MISSING, "asset", NAME, "")]),
        ([{"key": "B04"}, {"key": "B08"}], [(Kind.UNCLEAR, "asset", NAME, "assets show no names")]),
    ],
)
def test_a_file_is_found_among_the_assets(assets: list[dict[str, Any]], expected: list[Any]) -> None:
    """By its name, or as the only one; where none has a name, which one it is stays unclear."""
    assert told(asset_differences(ROW, assets)) == expected


def test_what_says_of_itself_that_it_was_deleted_is_gone() -> None:
    """By a time, or by its state of life."""
    assert gone({"deleted_at": "2026-11-28"})
    assert gone({"lifecycle_state": "deleted"})
    assert not gone({"deleted_at": None, "lifecycle_state": "active"})


def test_a_difference_names_source_and_item() -> None:
    """So that a person finds both."""
    (one,) = item_differences(ROW, {"name": "Berlin"})

    assert one == Difference(Kind.CHANGED, "it-1", "/srv/drop/a.tif", "name", NAME, "Berlin")
