"""What a person wishes of scenes, in the journal: one is sent anew whose item is gone; a rejected primary is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.journal.test_journal import KEY, journal, planned, sighting
from uploader.core.batching import Batch
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.planner_view import Waiting
from uploader.core.scene_rules import Placement, Policy
from uploader.core.transitions.held_rows import HoldName
from uploader.core.transitions.scene_events import Joining
from uploader.journal import Converted, Journal
from uploader.journal.queries import file_row
from uploader.journal.row_queries import scene_row

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["journal"]

GONE = Hold(Scope.TARGET, "p/c/it", "It is gone.", since=1.0, until=2.0, cause=HoldCause.SCENE_ITEM_GONE)


def joining(asset: str, primary: str = "") -> Joining:
    """A file of the scene `S`."""
    return Joining("p", "c", Placement("S", asset, policy=Policy(primary=primary)))


async def converted(journal: Journal, asset: str) -> int:
    """A raster of the scene, ready for a session."""
    path = asset.encode()
    (file_id,) = await journal.files.discovered([sighting(path)])
    await journal.files.claimed(file_id, sighting(path), f"content of {asset}", 10, joining=joining(asset))
    made = Converted(12, 7, "encode", categorical=False, file_name=f"{asset}-x.tif")
    await journal.files.converted(file_id, made)
    return file_id


async def wait_for_an_item(journal: Journal) -> tuple[int, int, int]:
    """Two files, by id, that wait for the item which a third has made, and the planned session of the second."""
    first = await converted(journal, "B1")
    made = await planned(journal, first)
    await journal.sessions.initiating(made)
    await journal.sessions.opened(made, "u1", None)
    await journal.files.stored(first, made)
    await journal.sessions.completing(made)
    await journal.sessions.completed(made, ["it"], {"B1-x.tif": "it"}, readback=False)
    second, third = await converted(journal, "B2"), await converted(journal, "B3")
    key = replace(KEY, collection_id="c", item_id="it", asset_key="B3")
    batch = Batch(key, (Waiting(third, "/d", 12, 0.0, False, "B3-x.tif"),))
    body = {"project_id": "p", "total_bytes": 12, "file_count": 1, "target_item_id": "it"}
    return second, third, await journal.sessions.planned(batch, body, "key", {third: "keep"})


async def test_all_that_waits_for_an_item_which_is_gone_goes_into_another_one(journal: Journal) -> None:
    """Also what waits in a session that was planned; what was in the old one is off the list, and found anew."""
    second, third, _ = await wait_for_an_item(journal)
    wish = [b"/d/B3"]
    assert await journal.retrying.retried(wish) == 0, "nobody has said that the item is gone"
    await journal.holds.set(GONE)

    assert await journal.retrying.retried([b"/d/other"]) == 0
    assert await journal.retrying.retried(wish) == 2

    rows = [await journal.read(lambda db, file_id=n: file_row(db, file_id)) for n in (second, third)]
    assert [row.scene_id for row in rows] == [2, 2]
    scene = await journal.read(lambda db: scene_row(db, 2))
    assert (scene.issue, scene.item_id, scene.name) == (2, None, "S")
    assert journal.live.holds == ()
    again = sighting(b"B1", inode=2)
    (anew,) = await journal.files.discovered([again])
    state = await journal.files.claimed(anew, again, "content of B1", 10, joining=joining("B1"))
    assert state is FileState.QUEUED
    assert (await journal.read(lambda db: file_row(db, anew))).scene_id == 2


async def test_a_primary_that_is_rejected_before_its_claim_is_told_and_made_good(journal: Journal) -> None:
    """It is of the scene from then on, so that whoever comes waits for a good one, and a good one ends that."""
    (empty,) = await journal.files.discovered([sighting(b"B1")])
    await journal.files.rejected(empty, "It is empty.", joining("B1", "B1"))
    assert (await journal.read(lambda db: scene_row(db, 1))).hold == "It is empty."

    good = replace(sighting(b"B1", size=20))
    (fresh,) = await journal.files.discovered([good])
    await journal.files.claimed(fresh, good, "content", 20, joining=joining("B1", "B1"))

    assert (await journal.read(lambda db: scene_row(db, 1))).hold == ""
    assert (await journal.read(lambda db: file_row(db, fresh))).scene_id == 1


async def test_the_hold_of_one_scene_can_be_tried_alone(journal: Journal) -> None:
    """Its collection is looked for at once; that of another scene when its time has come."""
    for number, name in enumerate(("S", "T")):
        path = name.encode()
        (file_id,) = await journal.files.discovered([sighting(path)])
        placed = Placement(name, "B1", collection="Flights")
        await journal.files.claimed(file_id, sighting(path), name, 10, joining=Joining("p", "", placed))
        await journal.scenes.put_off(number + 1, "It is not there.", 60.0, definite=True)

    assert await journal.retrying.tried_now(HoldName(Scope.SCENE, "p/Flights/T")) == 1

    first, second = [await journal.read(lambda db, n=number: scene_row(db, n)) for number in (1, 2)]
    assert first.homeless
    assert second.homeless
    assert (first.not_before > 0, second.not_before) == (True, 0.0)
