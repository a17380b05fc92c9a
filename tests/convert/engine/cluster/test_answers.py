"""What workers say, taken as from somebody who may be out of his mind."""

from __future__ import annotations

from typing import Any

import pytest

from uploader.convert.engine.cluster.answers import HostFacts, WorkerLost, WorkerUnfit, done_of, workers_of
from uploader.convert.isolation.verdict import Confinement
from uploader.convert.job import Report
from uploader.core.errors import ConversionFailed, RasterRefused

pytestmark = pytest.mark.unit

REPORT = Report(method="encode", categorical=False).to_json()
GOOD = {"report": REPORT, "size": 9, "sha256": "ab" * 32, "worker": "tcp://10.0.0.1:1", "host": {}}


def test_a_good_answer_is_what_it_says() -> None:
    """With the machine's facts where they make sense."""
    host = {"name": "node\n1", "gdal": "3.10", "confinement": Confinement(landlock=7).to_json()}
    done = done_of(GOOD | {"host": host})

    assert (done.size, done.report.method, done.worker) == (9, "encode", "tcp://10.0.0.1:1")
    assert done.host == HostFacts("node 1", "3.10", "", Confinement(landlock=7))


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], "x", {}, {"report": REPORT}),
        *(GOOD | {"size": size} for size in ("9", None)),
        *(GOOD | {"sha256": digest} for digest in ("../../etc/passwd", 7)),
        GOOD | {"report": {"method": "magic"}},
    ],
)
def test_nonsense_is_a_failed_conversion(answer: Any) -> None:
    """It is counted against the raster, as that of a child is."""
    with pytest.raises(ConversionFailed):
        done_of(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"lost": "gone"}, WorkerLost),
        ({"unfit": "another folder", "worker": "a"}, WorkerUnfit),
        ({"error": "ConverterBroken", "reason": "no GDAL", "worker": "a"}, WorkerUnfit),
        ({"error": "Shortage", "reason": "no threads", "worker": "a"}, WorkerUnfit),
        ({"error": "RasterRefused", "reason": "too large"}, RasterRefused),
        ({"error": "KeyboardInterrupt", "reason": "x"}, ConversionFailed),
    ],
)
def test_what_went_wrong_is_told_apart(answer: dict[str, Any], error: type[Exception]) -> None:
    """The raster's fault, the worker's, or nobody's."""
    with pytest.raises(error):
        done_of(answer)


@pytest.mark.parametrize("told", [None, [], {"a": "many"}, {"a": -1}, {"a": True}, {"a": 1 << 40}])
def test_workers_are_numbers(told: Any) -> None:
    """Whoever says anything else is not believed at all."""
    with pytest.raises(ConversionFailed):
        workers_of(told)


@pytest.mark.parametrize(
    "host", [None, 7, {"confinement": 9}, {"confinement": {"landlock": "x", "reached": 3}}]
)
def test_nothing_depends_on_what_is_told_of_a_machine(host: Any) -> None:
    """Where it makes no sense, nothing is known of it."""
    assert done_of(GOOD | {"host": host}).host.confinement is None
