"""How open sessions go on where a live check has shown the platform: the real journal, the simulator's platform."""

from __future__ import annotations

import random

import pytest

from tests.effects.test_session_start import tools
from tests.journal.test_journal import journal, stored
from tests.sim.platform import ModelPlatform
from tests.support.marks import Marks
from uploader.core import errors as err
from uploader.core.model import Layout, SessionState
from uploader.core.platform_traits import Traits
from uploader.effects.session import complete
from uploader.journal import Journal
from uploader.journal.queries import session_row
from uploader.journal.rows import one

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["journal"]


class Answering(ModelPlatform):
    """Makes items `i1` and `i2` of the session `u1`; calls are noted, and the first answer may be lost."""

    def __init__(self, *, lost: bool = False) -> None:
        super().__init__(random.Random(1), 0.0, 1 << 60)
        self.asked: list[str] = []
        self.lost = lost

    async def complete(self, upload_id: str) -> tuple[str, ...]:
        """See `Platform`."""
        self.asked.append("complete")
        if self.lost and len(self.asked) == 1:
            raise err.NoAnswer("cut")
        return ("i1", "i2")

    async def list_items(self, project_id: str, **_: object) -> list[dict[str, str]]:
        """See `Platform`."""
        self.asked.append("list")
        return [
            {"id": f"i{n}", "upload_id": "u1", "name": f"{name}.tif-x.tif"}
            for n, name in ((1, "a"), (2, "b"))
        ]


async def test_the_folders_know_of_all_that_is_stored_before_items_are_made(journal: Journal) -> None:
    """A journal that is put back to before it would have them made twice."""
    session_id, _ = await stored(journal, b"a.tif", b"b.tif")
    platform = Answering()
    made = tools(journal, platform, Traits())
    made.intake = Marks(platform.asked)  # type: ignore[arg-type, assignment]

    await complete(made, session_id)

    assert platform.asked == [["/d"], "complete"]


@pytest.mark.parametrize(
    ("silent", "asked"), [(False, ["complete", "complete"]), (True, ["complete", "list"])]
)
async def test_after_a_lost_answer_the_items_are_looked_for_where_a_repeat_tells_none(
    journal: Journal, *, silent: bool, asked: list[str]
) -> None:
    """Both ways the session is completed."""
    session_id, _ = await stored(journal, b"a.tif", b"b.tif")
    platform = Answering(lost=True)
    made = tools(journal, platform, Traits(silent_complete=silent))

    await complete(made, session_id)
    await complete(made, session_id)

    assert platform.asked == asked
    assert (await journal.read(lambda db: session_row(db, session_id))).state is SessionState.COMPLETED


@pytest.mark.parametrize(("hidden", "due"), [(False, "due"), (True, None)])
async def test_items_are_not_looked_at_for_names_that_do_not_come_back(
    journal: Journal, *, hidden: bool, due: str | None
) -> None:
    """Once the target's layout is known, and no source depends on it."""
    first, _ = await stored(journal, b"c.tif")
    await journal.sessions.completing(first)
    await journal.sessions.completed(first, ["i"], {}, readback=True)
    await journal.sessions.read_back(first, {}, Layout.PER_FILE, verified=True)
    session_id, _ = await stored(journal, b"a.tif", b"b.tif")

    await complete(tools(journal, Answering(), Traits(names_hidden=hidden)), session_id)

    found = await journal.read(lambda db: one(db, "SELECT readback FROM sessions WHERE id = ?", session_id))
    assert found["readback"] == due
