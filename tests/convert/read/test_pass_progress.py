"""How far a conversion is, as its child tells it: always onward, to nearly the end, whatever way a raster takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import rasters
from uploader.convert import Job
from uploader.convert.engine import child_progress
from uploader.convert.engine.child_progress import PACE, UNTOLD, ChildProgress, Telling, part_of
from uploader.convert.isolation import confine
from uploader.convert.perform import perform
from uploader.convert.read.pass_progress import ConversionProgress, progress

pytestmark = pytest.mark.unit


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What a conversion in this process tells."""
    parts: list[float] = []
    before = progress.set(ConversionProgress(parts.append))
    monkeypatch.setattr(confine, "limit", lambda *_, **__: None)
    yield parts
    progress.reset(before)


WAYS = [
    ("plain", {}, "encode", 6),
    ("plain", {"verify": "off"}, "encode", 3),
    ("plain", {"compression": "zstd"}, "cog_driver", 2),
    ("cog_without_statistics", {}, "rewrite", 1),
    ("ready_cog", {}, "passthrough", 1),
]
"""Kind, options, the method, and how often something is told at least."""


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_each_way_tells_how_far_it_is(
    told: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: tuple[str, dict[str, str], str, int],
) -> None:
    """Each pass goes on where the one before came to, and no raster is done before it is."""
    kind, options, method, least = way
    rasters.make(kind, tmp_path / "in" / "a.tif", size=1400)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    done = perform(Job(tmp_path / "in" / "a.tif", tmp_path / "a.tif", **options), tmp_path / "work")

    assert done.report.method == method
    assert len(told) >= least
    assert told == sorted(told)
    assert 0 < told[0] <= told[-1] <= 1
    assert told[-1] > 0.7 or method == "passthrough"


def test_little_is_told_and_nothing_of_what_is_quick() -> None:
    """Not in the first second, and four times a second then."""
    now, lines = [0.0], list[bytes]()
    tell = Telling(lines.append, lambda: now[0])
    for _ in range(4000):
        now[0] += 0.001
        tell(now[0] / 4)

    assert now[0] / 4 > part_of(lines[0].strip()) >= UNTOLD / 4  # type: ignore[operator]
    assert len(lines) == pytest.approx((4 - UNTOLD) / PACE, abs=1)


def test_a_child_that_says_too_much_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand lines one is, of nonsense none; the answer behind them stays whole."""
    now = [100.0]
    monkeypatch.setattr(child_progress.time, "monotonic", lambda: now[0])
    pulse = ChildProgress(0)
    said = bytearray(b"part 7\n" * 10_000 + b"part 9\npart 1")

    assert (pulse.heard(said), said) == (b"part 9\n", b"part 1")
    said += b"000\n"
    assert (pulse.heard(said), said) == (b"", b"")
    now[0] += 1
    for nonsense in (
        b"part 1001\n",
        b"part -1\n",
        b"part 5",
        b"part \n",
        b"part 1e3\n",
        b'{"report": "part 5\n"}',
    ):
        said = bytearray(nonsense)
        assert (pulse.heard(said), said) == (b"", nonsense)
    assert [part_of(line) for line in (b"part 1000", b"part 0", b"part 1001", b"part", b"alive")] == [
        1.0,
        0.0,
        None,
        None,
        None,
    ]
