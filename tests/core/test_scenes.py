"""A scene by its row and the states of its files: whose turn it is, and what it needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from uploader.core import scenes
from uploader.core.scene_dates import Interval
from uploader.core.scene_rules import Placement
from uploader.core.scenes import Describing, Need, Scene, SceneState

pytestmark = pytest.mark.unit

BARE = Scene(id=1, project_id="p", name="S", collection_id="")
KNOWN = replace(BARE, item_id="it")
LED = replace(BARE, lead="B01")


@pytest.mark.parametrize(
    ("scene", "making", "state"),
    [
        (BARE, False, SceneState.OPEN),
        (BARE, True, SceneState.MAKING),
        (KNOWN, True, SceneState.KNOWN),
        (replace(BARE, hold="why"), False, SceneState.HELD),
    ],
)
def test_how_far_a_scene_is(scene: Scene, making: bool, state: SceneState) -> None:
    """It follows from its item, its hold, and whether one of its files is in a session."""
    assert scenes.scene_state(scene, making=making) is state


@pytest.mark.parametrize(
    ("scene", "asset", "making", "goes"),
    [
        (None, "", False, True),
        (BARE, "B02", False, True),
        (BARE, "B02", True, False),
        (LED, "B02", False, False),
        (LED, "b01", False, True),
        (replace(LED, item_id="it"), "B02", True, True),
        (replace(BARE, hold="why"), "B02", False, False),
        (replace(BARE, collection_id=None), "B02", False, False),
    ],
)
def test_one_file_makes_the_item_and_the_others_wait(
    scene: Scene | None, asset: str, making: bool, goes: bool
) -> None:
    """Until the item is known only one may go: the primary, or whichever comes first."""
    assert scenes.may_go(scene, asset, making=making) is goes


def test_files_wait_for_the_marker_until_the_item_is_known() -> None:
    """What joins an item that is there has nothing to wait for."""
    waiting = replace(BARE, marker="done", complete_by=9.0)

    assert [scenes.goes_at(each) for each in (None, waiting, replace(waiting, item_id="it"))] == [
        0.0,
        9.0,
        0.0,
    ]


@pytest.mark.parametrize(
    ("scene", "need"),
    [
        (BARE, None),
        (replace(BARE, collection_id=None), Need.COLLECTION),
        (replace(BARE, marker="done", complete_by=9.0), Need.MARKER),
        (replace(BARE, marker="done", complete_by=3.0), None),
        (KNOWN, None),
        (replace(KNOWN, describing=Describing.DUE), Need.DESCRIPTION),
        (replace(KNOWN, collection_id=None, describing=Describing.REFUSED), None),
    ],
)
def test_what_a_scene_needs_as_a_whole(scene: Scene, need: Need | None) -> None:
    """One thing at a time; and whoever needs something is among those that want it."""
    assert scenes.need(scene, 5.0) is need
    assert scene.wanting or need is None


def test_a_path_tells_times_and_properties() -> None:
    """A moment is a datetime, an interval its two ends; what is null is left out."""
    start, end = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)
    moment = Placement("S", "a", when=Interval(start, start), properties={"gsd": 1})

    assert scenes.details(moment) == {"datetime": "2024-01-02T00:00:00Z", "gsd": 1}
    assert set(scenes.details(replace(moment, when=Interval(start, end)))) == {
        *("start_datetime", "end_datetime"),
        "gsd",
    }


def test_versions_are_in_the_order_of_their_letters() -> None:
    """As recipes make them: a day, or a baseline."""
    assert scenes.outdated("20240101_RT", ["20240101_RT", "20240120_T1"])
    assert not scenes.outdated("20240120_T1", ["20240101_RT", "20240120_T1"])


def test_a_hold_names_a_scene_by_where_it_goes() -> None:
    """Two issues of one scene are told apart."""
    assert replace(BARE, collection="c", version="v").subject == "p/c/S/v"
    assert replace(BARE, issue=2).subject == "p/S (issue 2)"
