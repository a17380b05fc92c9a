"""When an attempt is given up."""

from __future__ import annotations

import pytest

from uploader.convert.engine.cluster.answers import WorkerLost
from uploader.convert.engine.cluster.attempt_watch import GRACE, SILENCE, AttemptWatch

pytestmark = pytest.mark.unit


def test_what_has_not_begun_may_wait() -> None:
    """The deadline is that of the conversion, and not of its place in the queue."""
    watch = AttemptWatch(10.0)
    assert not watch.saw(None, 0.0)
    assert not watch.saw(None, 1e9)


def test_each_new_sign_is_one_of_life() -> None:
    """Told once, whatever the worker's clock says."""
    watch = AttemptWatch(1000.0)
    assert [watch.saw(sign, now) for sign, now in ((5, 0.0), (5, 1.0), (4, 2.0), (4, 3.0))] == [
        True,
        False,
        True,
        False,
    ]


def test_silence_is_a_lost_worker() -> None:
    """Also where the mark of its beginning is gone."""
    watch = AttemptWatch(1e6)
    watch.saw(1, 0.0)
    watch.saw(None, SILENCE)
    with pytest.raises(WorkerLost, match="sign of life"):
        watch.saw(1, SILENCE + 1)


def test_a_deadline_counts_from_the_beginning() -> None:
    """A worker that gives signs of life for ever is lost too."""
    watch = AttemptWatch(10.0)
    watch.saw(1, 100.0)
    watch.saw(2, 110.0 + GRACE)
    with pytest.raises(WorkerLost, match="deadline"):
        watch.saw(2, 111.0 + GRACE)
