"""Tests of which converters come up before there is something to convert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from uploader.convert import Converter
from uploader.daemon.warm_converters import WarmConverters

pytestmark = pytest.mark.unit


@dataclass
class Bench:
    """Files that settle, and the converters that were told to come up, by turns."""

    converter: object
    to_convert: int = 0
    told: list[int] = field(default_factory=list)

    def start_soon(self, work: Callable[..., object], folder: Path, zygotes: int) -> None:
        """As a task group; nothing is done."""
        assert (work, folder) == (getattr(self.converter, "rehearse", None), Path("/staging"))
        self.told.append(zygotes)

    def warm(self) -> WarmConverters:
        """What is tested."""
        staging = SimpleNamespace(path=Path("/staging"))
        tools: Any = SimpleNamespace(converter=self.converter, settings=SimpleNamespace(staging=staging))
        intake: Any = SimpleNamespace(to_convert=lambda most: min(most, self.to_convert))
        group: Any = self
        return WarmConverters(tools, intake, group)


def test_as_many_come_up_as_have_something_to_convert() -> None:
    """Each once, none before a file is there that needs it, and no more than there are."""
    bench = Bench(Converter(3))
    warm = bench.warm()
    for files in (0, 1, 1, 0, 2, 50, 50):
        bench.to_convert = files
        warm.look()
    assert bench.told == [1, 1, 1]


def test_a_cluster_needs_none() -> None:
    """Its workers come up by themselves, elsewhere."""
    bench = Bench(object(), to_convert=5)
    bench.warm().look()
    assert bench.told == []
