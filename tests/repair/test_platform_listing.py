"""All that the platform lists is read, however it turns its pages, and nothing is believed that was not seen."""

from __future__ import annotations

from typing import Any

import pytest

from uploader.core.errors import Problem, Refused
from uploader.core.recovery_matching import Target
from uploader.repair.platform_listing import listing

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

NAMED = "a-62b93be02326.tif"


class Lister:
    """A platform that lists; `most` records a page, whatever is asked for."""

    def __init__(self, items: list[dict[str, Any]], *, most: int = 100, deaf: bool = False) -> None:
        self.items = items
        self.most = most
        self.deaf = deaf
        self.removed_at: int | None = None
        self.assets: dict[str, list[dict[str, Any]]] = {}
        self.calls = 0

    async def list_items(
        self, project_id: str, *, collection_id: str = "", limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """One page."""
        if project_id == "closed":
            raise Refused("no", Problem(403, "no role"))
        self.calls += 1
        if self.calls == self.removed_at:
            del self.items[0]
        mine = [
            item for item in self.items if not collection_id or item.get("collection_id") == collection_id
        ]
        start = 0 if self.deaf else offset
        return mine[start : start + min(limit, self.most)]

    async def list_assets(self, item_id: str) -> list[dict[str, Any]]:
        """The assets of an item."""
        return self.assets.get(item_id, [])


def items(count: int) -> list[dict[str, Any]]:
    """Items of ours."""
    return [{"id": f"it-{n}", "name": f"f{n}-{n:012x}.tif"} for n in range(count)]


@pytest.mark.parametrize(
    ("most", "deaf", "count"), [(100, False, 250), (7, False, 30), (100, True, 60), (100, False, 0)]
)
async def test_every_page_is_read(most: int, deaf: bool, count: int) -> None:
    """Also where pages are smaller than asked for, or where the offset is not heard."""
    found, closed = await listing(Lister(items(count), most=most, deaf=deaf), [Target("p")])  # type: ignore[arg-type]

    assert len(found) == count
    assert closed == set()


async def test_a_listing_that_changes_is_read_again() -> None:
    """An item that is removed lets another slip to a page that was read before."""
    lister = Lister(items(30), most=10)
    lister.removed_at = 2

    found, _ = await listing(lister, [Target("p")])  # type: ignore[arg-type]

    assert {one.record_id for one in found} >= {f"it-{n}" for n in range(1, 30)}


async def test_a_collection_is_no_part_of_the_rest_of_its_project() -> None:
    """Each item belongs to one target."""
    mixed = [{"id": "1", "collection_id": "c", "name": NAMED}, {"id": "2", "name": NAMED}]

    found, _ = await listing(Lister(mixed), [Target("p"), Target("p", "c")])  # type: ignore[arg-type]

    assert {(one.record_id, one.target.collection_id) for one in found} == {("1", "c"), ("2", "")}


async def test_a_target_that_may_not_be_read_is_told() -> None:
    """Of its files nothing is known; the others are read."""
    found, closed = await listing(Lister(items(1)), [Target("closed"), Target("p")])  # type: ignore[arg-type]

    assert len(found) == 1
    assert closed == {Target("closed")}


async def test_names_are_looked_for_in_the_assets() -> None:
    """Where the listing shows none."""
    lister = Lister([{"id": "1"}, {"id": "2"}])
    lister.assets = {"1": [{"href": f"https://store/x/{NAMED}"}]}

    found, _ = await listing(lister, [Target("p")])  # type: ignore[arg-type]

    assert [one.stems for one in found] == [{NAMED.removesuffix(".tif")}, frozenset()]
