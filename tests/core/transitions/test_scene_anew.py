"""A scene whose item was deleted is sent anew: as changes of rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.transitions.test_scene_events import FILE, NOW, SCENE
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.scenes import Describing
from uploader.core.transitions.scene_anew import item_gone, sent_anew

pytestmark = pytest.mark.unit

KNOWN = replace(SCENE, item_id="it", lead="B1", marker="done", describing=Describing.DONE, tries=3)
GONE = Hold(Scope.TARGET, "p/c/it", "It is not there.", cause=HoldCause.SCENE_ITEM_GONE)


def test_only_an_item_that_the_platform_says_is_gone_is_given_up() -> None:
    """A person cannot have a second item made beside one that is there."""
    assert item_gone(KNOWN, [GONE])
    assert not item_gone(KNOWN, [replace(GONE, subject="p/c/other"), replace(GONE, cause=HoldCause.QUOTA)])
    assert not item_gone(SCENE, [GONE])


def test_what_waited_makes_another_item_and_what_was_in_the_old_one_is_new_again() -> None:
    """Whichever comes first makes it, for the primary may have left its folder long ago."""
    members = [
        replace(FILE, id=1, state=FileState.COMPLETED, current=1, disposal="kept"),
        replace(FILE, id=2, state=FileState.COMPLETED, current=1),
        replace(FILE, id=3, state=FileState.CONVERTED),
        replace(FILE, id=4, state=FileState.QUEUED),
        replace(FILE, id=5, state=FileState.REJECTED, current=1),
    ]
    change, count = sent_anew(NOW, KNOWN, members, scene_id=9, issue=2)

    made = change.new_scenes[9]
    assert count == 2
    assert change.scenes[1]["describing"] == Describing.GONE
    assert (made["issue"], made["item_id"], made["lead"], made["marker"], made["name"]) == (
        2,
        None,
        "",
        "",
        "S",
    )
    assert (made["tries"], made["describing"]) == (0, Describing.NOTHING)
    assert change.holds == {(Scope.TARGET, "p/c/it"): None}
    assert {change.files[number]["scene_id"] for number in (3, 4)} == {9}
    assert {change.files[number]["target_item_id"] for number in (3, 4)} == {None}
    assert [change.files[number]["current"] for number in (1, 2)] == [None, None]
    assert change.files[2]["state"] == FileState.DISPOSED
    assert 5 not in change.files
