"""Files are found again in what the platform lists, by name and upload id, never by position."""

from __future__ import annotations

import pytest

from uploader.core.matching import match, stem_of
from uploader.core.model import Layout

pytestmark = pytest.mark.unit

NAMES = ["a-0123456789ab.tif", "b-ba9876543210.tif"]


def item(item_id: str, *names: str, upload: str = "u1") -> dict:
    """An item's record in the shape of our sandbox."""
    assets = {
        f"data{i}": {"href": f"https://x/uploads/{upload}/{name}?sig=1"} for i, name in enumerate(names)
    }
    return {"id": item_id, "upload_id": upload, "assets": assets}


def test_items_are_matched_by_name_in_any_order() -> None:
    """The order of answers means nothing."""
    found = match(NAMES, [item("i2", NAMES[1]), item("i1", NAMES[0])], upload_id="u1")

    assert found.item_of == {NAMES[0]: "i1", NAMES[1]: "i2"}
    assert found.complete(NAMES)
    assert found.layout(NAMES) is Layout.PER_FILE


def test_one_item_with_both_files_is_one_per_session() -> None:
    """Two files in one item are learned as such."""
    found = match(NAMES, [item("i1", *NAMES)], upload_id="u1")

    assert found.complete(NAMES)
    assert found.layout(NAMES) is Layout.PER_SESSION


def test_another_sessions_items_do_not_count() -> None:
    """The same content may have been uploaded before."""
    found = match(
        NAMES, [item("i1", NAMES[0], upload="u0"), item("i2", NAMES[1], upload="u0")], upload_id="u1"
    )

    assert not found.complete(NAMES)


def test_items_without_names_are_counted() -> None:
    """Where records carry no file names, as many answered items as files will do."""
    records = [{"id": "i1"}, {"id": "i2"}]

    assert match(NAMES, records, upload_id="u1", item_ids=["i1", "i2"]).complete(NAMES)
    assert not match(NAMES, records[:1], upload_id="u1", item_ids=["i1", "i2"]).complete(NAMES)


def test_one_answered_item_for_two_files_is_one_per_session() -> None:
    """Nothing but the count is needed to learn it."""
    found = match(NAMES, [{"id": "i1"}], upload_id="u1", item_ids=["i1"])

    assert found.layout(NAMES) is Layout.PER_SESSION


def test_assets_of_a_target_item_are_found_by_name() -> None:
    """With a target item the item existed before; its assets tell."""
    assets = [{"key": "old", "href": "x/other.tif"}, {"key": "data", "href": f"x/{NAMES[0]}"}]

    found = match(NAMES[:1], assets, upload_id="u1", target_item_id="it")

    assert found.item_of == {NAMES[0]: "it"}
    assert not match(NAMES[:1], assets[:1], upload_id="u1", target_item_id="it").complete(NAMES[:1])


def test_the_stem_of_a_name_is_what_its_extension_leaves() -> None:
    """All of it where it has none, or nothing before it."""
    assert [stem_of(name) for name in ("a-01.b.tif", "plain", ".tif", "")] == ["a-01.b", "plain", ".tif", ""]


def test_a_hostile_record_is_bounded() -> None:
    """A record of absurd depth ends the search, not the daemon."""
    deep: dict = {}
    node = deep
    for _ in range(10_000):
        node["x"] = {}
        node = node["x"]
    node["name"] = NAMES[0]

    assert not match(NAMES[:1], [{"id": "i1", "deep": deep}], upload_id="u1").complete(NAMES[:1])
