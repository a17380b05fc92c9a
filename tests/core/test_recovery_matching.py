"""What a repaired journal may believe of the platform's records."""

from __future__ import annotations

from datetime import UTC

import pytest

from tests.support.configured import a_folder
from uploader.core.recovery_matching import Listed, Target, item_of_scene, names_come_back
from uploader.core.scene_rules import Rule, SceneRules, place

pytestmark = pytest.mark.unit

PROJECT = Target("p")
STEM = "scene-0123456789ab"


def listed(record_id: str, stem: str = "", upload: str = "") -> Listed:
    """A record of the platform that shows a name of ours, or none."""
    return Listed(PROJECT, record_id, record_id, upload, frozenset({stem} if stem else ()))


def test_a_record_is_recognised_by_the_name_it_carries() -> None:
    """Wherever it stands in the record; other names are nobody's."""
    href = f"https://store.example/uploads/u/{STEM}.tif?signature=x"
    found = Listed.of(PROJECT, {"id": "i1", "upload_id": "u", "assets": {"data": {"href": href}}})

    assert (found.record_id, found.item_id, found.upload_id, found.stems) == ("i1", "i1", "u", {STEM})
    assert Listed.of(PROJECT, {"id": "i2", "title": "scene.tif"}).stems == frozenset()


def test_an_asset_belongs_to_the_item_of_the_target() -> None:
    """Its own id says nothing of the item."""
    target = Target.of(a_folder("p", "c", "item"))

    assert target == Target("p", "c", "item")
    assert Listed.of(target, {"id": "asset", "href": f"x/{STEM}.tif"}).item_id == "item"


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": 7, "upload_id": ["u"]}])
def test_a_record_of_another_form_is_read_as_far_as_it_goes(record: dict) -> None:
    """The platform's answer is not to be believed."""
    found = Listed.of(PROJECT, record)

    assert (found.upload_id, found.stems) == ("", frozenset())


@pytest.mark.parametrize(
    ("records", "believed"),
    [
        ([], True),
        ([listed("i1", STEM)], True),
        ([listed("i1")], False),
        ([listed("i1", STEM), listed("foreign")], True),
        ([listed("i1", STEM), listed("ours")], False),
        ([listed("i1", STEM), listed("i2", upload="ours-too")], False),
        ([listed("ours", STEM), listed("i2", STEM, upload="ours-too")], True),
    ],
)
def test_absence_counts_only_where_names_are_shown(records: list[Listed], believed: bool) -> None:
    """A target whose records hide names, or show them for some of ours only, proves nothing of what is not there."""
    assert names_come_back(records, items={"ours"}, uploads={"ours-too"}) is believed


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        (r"(?:.*/)?(?P<scene>S\d)_(?P<asset>B\d)\.tif", b"late/S1_B3.tif", "i1"),
        (r"(?:.*/)?(?P<scene>S\d)_(?P<asset>B\d)\.tif", b"late/S1_B1.tif", None),
        (r"(?P<scene>\w+)/S\d_(?P<asset>B\d)\.tif", b"S1/S1_B3.tif", None),
        (r"(?:.*/)?S\d_(?P<asset>B\d)\.tif", b"late/S1_B3.tif", None),
    ],
)
def test_names_tell_the_item_of_a_scene_where_they_alone_tell_the_scene(
    pattern: str, path: bytes, found: str | None
) -> None:
    """Not where a folder names the scene, for the platform shows no folders; nor where the asset is there already."""
    rules = [SceneRules((Rule(pattern, scene="{scene}" if "scene" in pattern else "all"),), UTC)]
    shown = [("S2_B1-0123456789ab", "i2"), ("S1_B1-0123456789ab", "i1"), ("other-0123456789ab", "i3")]

    assert item_of_scene(lambda each: place(rules, each), path, shown) == found
