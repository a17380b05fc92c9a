"""Who does the parts of a raster's work: threads of a large one, nobody else of a small one."""

from __future__ import annotations

import threading

import pytest

from uploader.convert.read import executors

pytestmark = pytest.mark.unit


def test_one_thread_is_the_one_that_asks() -> None:
    """So nothing is started for a small raster, and what fails is told to whoever asks for the result."""
    with executors.executor(1) as executor:
        done = executor.submit(threading.get_ident)
        failed = executor.submit(int, "x")

    assert done.result() == threading.get_ident()
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result()


def test_several_threads_are_others() -> None:
    """As many as there should be work at once."""
    meeting = threading.Barrier(2, timeout=60)
    with executors.executor(2) as executor:
        found = [executor.submit(lambda: (meeting.wait(), threading.get_ident())[1]) for _ in range(2)]

    assert len({each.result() for each in found} - {threading.get_ident()}) == 2


def test_a_small_raster_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to some megabytes of pixels; a larger one has as many as the machine gives."""
    monkeypatch.setattr(executors, "THREADS", 5)

    assert executors.threads_for(1000 * 1000 * 3) == 1
    assert executors.threads_for(5000 * 5000 * 3) == 5
