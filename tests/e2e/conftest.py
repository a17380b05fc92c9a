"""A world for each end-to-end test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import World, world


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make worlds that end with the test, of one conversion at once: few files need no more, and it starts sooner."""
    with ExitStack() as stack:
        count = 0

        def make(**facts: Any) -> World:
            nonlocal count
            count += 1
            root = tmp_path / f"world{count}"
            root.mkdir()
            return stack.enter_context(world(root, **{"workers": 1} | facts))

        yield make
