"""What becomes true of scenes, as changes of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from uploader.core.model import FileState
from uploader.core.scene_rules import Placement, Policy
from uploader.core.scenes import Describing, Scene
from uploader.core.transitions import file_events
from uploader.core.transitions import scene_events as events
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.scene_events import Joining, KnownScene

pytestmark = pytest.mark.unit

NOW = 100.0
FILE = FileRecord(id=7, folder="/d", path=b"a/b.tif", sighting=0, state=FileState.QUEUED)
SCENE = Scene(id=1, project_id="p", name="S", collection_id="c")


def joining(version: str = "", **more: Any) -> Joining:
    """A file of the asset `B1`."""
    policy = Policy(**more)
    return Joining("p", "c", Placement("S", "B1", version=version, policy=policy, properties={"gsd": 1}))


def claimed(of: Joining, *versions: Scene, content: str = "new", had: dict[int, str] | None = None) -> Change:
    """What the claim of such a file changes."""
    change = Change(NOW)
    events.claimed(change, FILE, of, KnownScene(versions, had or {}, None, 9), content, item_id=None)
    return change


def test_the_first_file_begins_a_scene() -> None:
    """With what its section says, and what its path tells."""
    change = claimed(joining(primary="B1", complete="S.done", complete_wait=60.0))

    made = change.new_scenes[9]
    assert (made["lead"], made["marker"], made["complete_by"], made["directory"]) == (
        "B1",
        "S.done",
        160.0,
        b"a",
    )
    assert made["details"] == {"gsd": 1}
    assert change.files[7]["scene_id"] == 9
    assert (change.files[7]["target_asset_key"], change.files[7]["target_collection_id"]) == ("B1", "c")


def test_what_comes_late_joins_the_item() -> None:
    """Whatever the scene waited for before; its new properties are told."""
    change = claimed(joining(), replace(SCENE, item_id="it"))

    assert change.files[7]["target_item_id"] == "it"
    assert (change.scenes[1]["details"], change.scenes[1]["describing"]) == ({"gsd": 1}, Describing.DUE)


def test_a_raster_that_changed_begins_the_next_issue() -> None:
    """Of that nobody knows which rasters have changed, so whichever comes first makes the item."""
    change = claimed(joining(primary="B0", complete="x", complete_wait=9.0), SCENE, had={1: "old"})

    made = change.new_scenes[9]
    assert (made["issue"], made["lead"], made["marker"], made["complete_by"]) == (2, "", "", 0.0)


def test_the_oldest_issue_that_lacks_the_raster_gets_it() -> None:
    """So the primary of a scene reaches it although another raster has changed meanwhile."""
    second = replace(SCENE, id=2, issue=2)

    assert claimed(joining(), SCENE, second, had={2: "old"}).files[7]["scene_id"] == 1
    assert claimed(joining(), SCENE, second, had={1: "old"}).files[7]["scene_id"] == 2


def test_the_very_same_raster_is_not_sent_twice() -> None:
    """Whatever folder it came from."""
    change = claimed(joining(), SCENE, content="old", had={1: "old"})

    assert change.files[7]["state"] is FileState.DUPLICATE
    assert "very raster" in change.log[-1].note


def test_what_is_older_than_a_version_that_is_there_may_be_left() -> None:
    """Where the section says so; else each version is an item."""
    newer = replace(SCENE, version="2")

    assert claimed(joining("1", newest_only=True), newer).files[7]["state"] is FileState.DUPLICATE
    assert claimed(joining("1"), newer).new_scenes[9]["version"] == "1"


def test_the_item_is_learned_once() -> None:
    """All files of the scene go there from then on."""
    change = Change(NOW)
    events.item_known(change, replace(SCENE, details={"gsd": 1}), "it", [FILE])
    events.item_known(change, replace(SCENE, item_id="it"), "other", [FILE])

    assert (change.scenes[1]["item_id"], change.scenes[1]["describing"]) == ("it", Describing.DUE)
    assert change.files[7]["target_item_id"] == "it"


def test_a_rejected_primary_holds_its_scene_until_another_one_comes() -> None:
    """Any other file leaves it as it is, and so does one whose scene has its item."""
    led = replace(SCENE, lead="B1")
    primary = FileRecord(id=3, folder="/d", path=b"x", sighting=0, target_asset_key="B1")
    change = Change(NOW)
    events.rejected(
        change, led, FileRecord(id=4, folder="/d", path=b"y", sighting=0, target_asset_key="B2"), "no"
    )
    events.rejected(change, replace(led, item_id="it"), primary, "no")
    assert change.scenes == {}
    events.rejected(change, led, primary, "no raster")

    assert change.scenes[1]["hold"] == "no raster"
    assert claimed(joining(), replace(led, hold="no raster")).scenes[1]["hold"] == ""


def test_one_look_finds_the_collection_of_all_scenes() -> None:
    """And of those that come later."""
    scene = replace(SCENE, collection="n", collection_id=None)
    change = events.collection_found(NOW, [(scene, [FILE])], "col")

    assert (change.scenes[1]["collection_id"], change.files[7]["target_collection_id"]) == ("col", "col")
    assert change.learned == {events.collection_key("p", "n"): "col"}


def test_what_was_learned_while_the_item_was_described_is_told_once_more() -> None:
    """The details that were sent are compared with those that the row has now."""
    scene = replace(SCENE, details={"gsd": 1})

    sent, anew = (events.described(NOW, scene, told, Describing.DONE) for told in ({"gsd": 1}, {}))

    assert [change.scenes[1]["describing"] for change in (sent, anew)] == [Describing.DONE, Describing.DUE]


def rejected(of: Joining, *versions: Scene, had: dict[int, str] | None = None) -> Change:
    """What the rejection of such a file changes that was not claimed yet."""
    settling = replace(FILE, state=FileState.SETTLING)
    unclaimed = of, KnownScene(versions, had or {}, None, 9)
    return file_events.rejected(NOW, settling, None, "It is empty.", unclaimed=unclaimed)


def test_a_primary_that_is_rejected_before_its_claim_holds_its_scene() -> None:
    """Also where it comes first, so that there is none yet."""
    begun, known = rejected(joining(primary="B1")), rejected(joining(primary="B1"), replace(SCENE, lead="B1"))

    assert (begun.new_scenes[9]["hold"], begun.files[7]["scene_id"]) == ("It is empty.", 9)
    assert (known.scenes[1]["hold"], known.files[7]["scene_id"]) == ("It is empty.", 1)


@pytest.mark.parametrize(
    ("of", "versions", "had"),
    [
        (joining(), (), {}),
        (joining(primary="B0"), (), {}),
        (joining(primary="B1"), (replace(SCENE, lead="B1", item_id="it"),), {}),
        (joining(primary="B1"), (replace(SCENE, lead="B1"),), {1: "old"}),
        (joining("v1", primary="B1", newest_only=True), (replace(SCENE, version="v2"),), {}),
    ],
)
def test_whoever_nobody_waits_for_is_rejected_alone(
    of: Joining, versions: tuple[Scene, ...], had: dict[int, str]
) -> None:
    """No scene is begun for it."""
    change = rejected(of, *versions, had=had)

    assert (change.new_scenes, change.scenes) == ({}, {})
    assert "scene_id" not in change.files[7]


def test_nothing_joins_an_item_that_was_given_up() -> None:
    """The next issue has its number, and gets what comes."""
    gone = replace(SCENE, item_id="it", describing=Describing.GONE)

    assert claimed(joining(), gone, replace(SCENE, id=2, issue=2)).files[7]["scene_id"] == 2
    assert claimed(joining(), gone).new_scenes[9]["issue"] == 2


def test_that_a_collection_is_not_there_is_no_failed_try() -> None:
    """So a person is told at once; what fails on the way may end by itself."""
    lost = replace(SCENE, collection="Flights", collection_id=None)
    said = events.put_off(NOW, lost, "None.", 60.0, definite=True).scenes[1]
    failed = events.put_off(NOW, lost, "No route.", 60.0).scenes[1]

    assert replace(lost, tries=said["tries"], last_error=said["last_error"]).homeless
    assert not replace(lost, tries=failed["tries"], last_error=failed["last_error"]).homeless
