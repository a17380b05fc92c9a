"""How sessions begin on a platform that a live check has shown, on the real journal and the simulator's platform."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.journal.test_journal import KEY, journal
from tests.journal.test_retry import GONE, converted, wait_for_an_item
from tests.sim.platform import ModelPlatform
from tests.support.configured import a_folder, settings_with
from tests.support.marks import Marks
from tests.support.tools import few
from uploader.config import Settings
from uploader.core import errors as err
from uploader.core.batching import Batch
from uploader.core.model import FileState
from uploader.core.planner_view import Waiting
from uploader.core.platform_traits import LiveProfile, Repeated, Traits
from uploader.effects.context import Tools
from uploader.effects.session_start import initiate, plan_session
from uploader.journal import Journal
from uploader.journal.queries import file_row, session_row

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["journal"]


class Deaf(ModelPlatform):
    """The first answers of `initiate` are lost; the keys that it was sent stay."""

    lost = 0

    async def initiate(self, body: Any, key: str) -> str:
        """See `Platform`."""
        self.keys = [*getattr(self, "keys", []), key]
        found = await super().initiate(body, key)
        if len(self.keys) <= self.lost:
            raise err.NoAnswer("cut")
        return found


def tools(
    journal: Journal, platform: ModelPlatform, traits: Traits, settings: Settings | None = None
) -> Tools:
    """What these effects work with."""
    chosen = settings or settings_with()
    parts = {
        "journal": journal,
        "platform": platform,
        "settings": chosen,
        "random": random.Random(1),
        "intake": Marks(),
    }
    made = few(**parts, profile=LiveProfile(traits), destinations={"/d": a_folder("p")})
    made.platform_held_since = None
    made.asked_to_wait_until = made.answered_at = made.began = 0.0
    return made


async def begun(journal: Journal, made: Tools) -> int:
    """A session of one file, planned as the daemon does."""
    file_id = await converted(journal, "B1")
    await plan_session(made, Batch(KEY, (Waiting(file_id, "/d", 12, 0.0, False, "B1-x.tif"),)))
    return 1  # the first of the journal


async def test_the_folders_know_of_the_session_before_the_platform_does(journal: Journal) -> None:
    """A journal that is put back to before it is noticed, however soon that is."""
    platform = Deaf(random.Random(1), 0.0, 1 << 60)
    made = tools(journal, platform, Traits())
    session_id = await begun(journal, made)
    platform.keys = []
    made.intake = Marks(platform.keys)  # type: ignore[assignment]

    await initiate(made, session_id)

    (row,) = await journal.read(lambda db: list(db["sessions"].rows))
    assert platform.keys == [["/d"], row["idempotency_key"]]


@pytest.mark.parametrize(
    ("repeated", "leaked", "keys"),
    [(Repeated.UNKNOWN, 12, 1), (Repeated.ANOTHER, 12, 1), (Repeated.SAME, 0, 1), (Repeated.REFUSED, 12, 2)],
)
async def test_a_lost_answer_costs_what_the_platform_makes_of_a_repeat(
    journal: Journal, repeated: Repeated, leaked: int, keys: int
) -> None:
    """Nobody knows: the bytes may be reserved for nothing, and the same is sent again, to the letter."""
    platform = Deaf(random.Random(1), 0.0, 1 << 60)
    platform.lost = 1
    made = tools(journal, platform, Traits(initiate_repeated=repeated))
    session_id = await begun(journal, made)

    await initiate(made, session_id)
    await initiate(made, session_id)

    assert (await journal.facts({})).told["possibly_leaked_bytes"] == leaked
    assert len(set(platform.keys)) == keys


@pytest.mark.parametrize(
    ("written", "found", "sent"),
    [({}, "cli", "cli"), ({}, "", "signed_url"), ({"transfer_method": "browser"}, "cli", "browser")],
)
async def test_the_method_that_is_taken_is_sent_unless_a_person_named_one(
    journal: Journal, written: dict[str, str], found: str, sent: str
) -> None:
    """With the first session, so that none is refused before."""
    settings = Settings(platform=written)
    made = tools(journal, Deaf(random.Random(1), 0.0, 1 << 60), Traits(transfer_method=found), settings)
    session_id = await begun(journal, made)

    session = await journal.read(lambda db: session_row(db, session_id))
    assert session.body["transfer_method"] == sent


async def test_a_session_that_was_frozen_before_its_scene_was_sent_anew_holds_nobody(
    journal: Journal, tmp_path: Path
) -> None:
    """The platform refuses it once more, and its file goes into the other item."""
    _, waiting, session_id = await wait_for_an_item(journal)
    await journal.holds.set(GONE)
    made = tools(journal, Deaf(random.Random(1), 0.0, 1 << 60), Traits())

    await journal.retrying.retried([b"/d/B3"])
    await initiate(made, session_id)

    row = await journal.read(lambda db: file_row(db, waiting))
    assert (row.state, row.scene_id, journal.live.holds) == (FileState.CONVERTED, 2, ())


async def test_a_session_whose_item_is_gone_holds_its_target(journal: Journal) -> None:
    """As long as nobody has said that the scene is to be sent anew."""
    _, _, session_id = await wait_for_an_item(journal)
    made = tools(journal, Deaf(random.Random(1), 0.0, 1 << 60), Traits())

    await initiate(made, session_id)

    assert [hold.cause for hold in journal.live.holds] == [GONE.cause]
