"""Which scene a file joins, and whether names of others may tell its item."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.configured import a_folder
from uploader.effects.context import Tools
from uploader.effects.scenes import joining

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

RULES: list[dict[str, Any]] = [{"rules": [{"pattern": r"(?P<scene>S\d)_(?P<asset>B\d)\.tif"}]}]


async def test_names_tell_the_item_only_where_all_that_goes_there_is_of_scenes() -> None:
    """An item of a plain file may be called like a raster of a scene, and is none that others join."""
    scenes, plain = a_folder("p", path="/s", scenes=RULES), a_folder("p", path="/plain")
    elsewhere = a_folder("p", "c", path="/c")

    async def place_beside(other: Any) -> object:
        tools = cast("Tools", SimpleNamespace(destinations={"/s": scenes, str(other.path): other}))
        found = await joining(tools, "/s", b"S1_B1.tif")
        assert found is not None
        return found.place

    assert await place_beside(plain) is None
    assert await place_beside(elsewhere) is not None
