"""The only place that knows prometheus-client: a status as metrics. `docs/metrics.md` tells each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from uploader import __version__

Sample = tuple[Sequence[str], float]
"""Values of the labels, and the number."""


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """A metric: its name without `uploader_`, what it says, its labels, and whether it only grows."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    grows: bool = False


BUILD = MetricFamily("build_info", "The version that runs; always 1.", ("version",))
FILES = MetricFamily("files", "Files by state, ends and earlier versions of a path among them.", ("state",))
SESSIONS = MetricFamily("sessions", "Upload sessions by state.", ("state",))
PENDING = MetricFamily("pending_files", "Files that have not reached an end.")
PENDING_BYTES = MetricFamily("pending_bytes", "Bytes still to be uploaded.")
OLDEST = MetricFamily(
    "oldest_pending_seconds", "How long the oldest pending file has been known; 0 where none is."
)
COMPLETED = MetricFamily("completed_files", "Files that became items.")
REJECTED = MetricFamily("rejected_files", "Files that were refused and are not tried again by themselves.")
UPLOADED = MetricFamily("uploaded_bytes", "Bytes that the object store holds for items.", grows=True)
SENT = MetricFamily(
    "sent_bytes", "Bytes sent to the object store since the start, repeats included.", grows=True
)
LEAKED = MetricFamily(
    "possibly_leaked_bytes", "Upper bound of storage reserved by starts of sessions whose answer was lost."
)
LAST = MetricFamily("last_completed_timestamp_seconds", "When a file was completed last; 0 where none was.")
FOLDER_FILES = MetricFamily(
    "folder_files", "Files of a drop folder: pending, completed, rejected.", ("folder", "end")
)
STAGE_FILES = MetricFamily("stage_files", "Pending files of a drop folder by state.", ("folder", "state"))
STAGE_BYTES = MetricFamily("stage_bytes", "Their bytes.", ("folder", "state"))
HOLDS = MetricFamily(
    "holds", "Holds by scope and cause; anything above 0 waits for a reason.", ("scope", "cause")
)
HELD_FILES = MetricFamily("held_files", "Files that wait because of holds of this cause.", ("cause",))
HELD_BYTES = MetricFamily("held_bytes", "Their bytes.", ("cause",))
ALARMS = MetricFamily("alarms", "Alarms that went out and last, by cause.", ("cause",))
REVISION = MetricFamily("hold_revision", "How often the list of holds has changed.")
RUNNING = MetricFamily("stage_running", "Work under way, by stage.", ("stage",))
SIGN = MetricFamily(
    "stage_sign_timestamp_seconds",
    "When a stage last gave a sign of life; 0: not since the start.",
    ("stage",),
)
CALLS = MetricFamily(
    "calls",
    "Calls to the platform since the start, by what came of them.",
    ("operation", "status"),
    grows=True,
)
DISK = MetricFamily("disk_free_bytes", "Bytes that are free for staging.", ("place",))
CLUSTER = MetricFamily(
    "cluster_workers",
    "Workers of the cluster that converts: those that are there, and those not asked.",
    ("what",),
)
CLUSTER_SLOTS = MetricFamily("cluster_slots", "Conversions that its workers run at once.")
CLUSTER_BYTES = MetricFamily("cluster_bytes", "Bytes of the rasters that are under way there.")
CLUSTER_LOST = MetricFamily(
    "cluster_lost", "How often a worker was lost with a conversion, since the start.", grows=True
)
WORKER_RUNNING = MetricFamily(
    "cluster_worker_running", "Conversions that a worker has begun with.", ("worker",)
)
WORKER_DONE = MetricFamily(
    "cluster_worker_done", "Rasters that a worker has converted.", ("worker",), grows=True
)
WORKER_LOST = MetricFamily(
    "cluster_worker_lost", "How often a worker was given up with a conversion.", ("worker",), grows=True
)
OF_CLUSTER = (
    *(CLUSTER, CLUSTER_SLOTS, CLUSTER_BYTES, CLUSTER_LOST),
    *(WORKER_RUNNING, WORKER_DONE, WORKER_LOST),
)

FAMILIES = (
    *(
        BUILD,
        FILES,
        SESSIONS,
        PENDING,
        PENDING_BYTES,
        OLDEST,
        COMPLETED,
        REJECTED,
        UPLOADED,
        SENT,
        LEAKED,
        LAST,
    ),
    *(
        FOLDER_FILES,
        STAGE_FILES,
        STAGE_BYTES,
        HOLDS,
        HELD_FILES,
        HELD_BYTES,
        ALARMS,
        REVISION,
        RUNNING,
        SIGN,
        CALLS,
        DISK,
    ),
    *OF_CLUSTER,
)
"""All of ours; the process tells its own beside them."""


def exposition(status: Mapping[str, Any], now: float, accept: str = "") -> tuple[str, bytes]:
    """Content type and body: OpenMetrics where it is asked for, else the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(status, now))
    ProcessCollector(registry=registry)
    encode, kind = choose_encoder(accept)
    return kind, encode(registry)


class _Told(Collector):
    def __init__(self, status: Mapping[str, Any], now: float) -> None:
        self._status = status
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Every family, also those without a sample."""
        samples = {
            **_of_files(self._status, self._now),
            **_of_folders(self._status),
            **_of_holds(self._status),
            **_of_work(self._status),
            **_of_cluster(self._status),
        }
        for family in FAMILIES:
            yield _family(family, samples[family])


def _family(family: MetricFamily, samples: Iterable[Sample]) -> Metric:
    kind = CounterMetricFamily if family.grows else GaugeMetricFamily
    made = kind(f"uploader_{family.name}", family.text, labels=family.labels)
    for labels, value in samples:
        made.add_metric(labels, value)
    return made


def _of_files(status: Mapping[str, Any], now: float) -> dict[MetricFamily, list[Sample]]:
    amounts = status.get("bytes") or {}
    oldest = _seconds(status.get("oldest_pending"))
    return {
        BUILD: [((__version__,), 1.0)],
        FILES: [((state,), number) for state, number in (status.get("files") or {}).items()],
        SESSIONS: [((state,), number) for state, number in (status.get("sessions") or {}).items()],
        PENDING: [((), status.get("pending", 0))],
        PENDING_BYTES: [((), amounts.get("pending", 0))],
        OLDEST: [((), max(0.0, now - oldest) if oldest else 0.0)],
        COMPLETED: [((), status.get("completed", 0))],
        REJECTED: [((), status.get("rejected", 0))],
        UPLOADED: [((), amounts.get("uploaded", 0))],
        SENT: [((), status.get("sent", 0))],
        LEAKED: [((), status.get("possibly_leaked_bytes", 0))],
        LAST: [((), _seconds(status.get("last_completed")))],
    }


def _of_folders(status: Mapping[str, Any]) -> dict[MetricFamily, list[Sample]]:
    folders = status.get("folders") or ()
    stages = [
        ((folder["path"], state), amount)
        for folder in folders
        for state, amount in (folder.get("stages") or {}).items()
    ]
    return {
        FOLDER_FILES: [
            ((folder["path"], end), folder[end])
            for folder in folders
            for end in ("pending", "completed", "rejected")
        ],
        STAGE_FILES: [(labels, amount["files"]) for labels, amount in stages],
        STAGE_BYTES: [(labels, amount["bytes"]) for labels, amount in stages],
    }


def _of_holds(status: Mapping[str, Any]) -> dict[MetricFamily, list[Sample]]:
    holds: dict[tuple[str, ...], float] = {}
    files: dict[tuple[str, ...], float] = {}
    size: dict[tuple[str, ...], float] = {}
    alarms = Counter(str(alarm["cause"]) for alarm in status.get("alarms") or ())
    for hold in status.get("holds") or ():
        cause = str(hold.get("cause", "unknown"))
        holds[hold["scope"], cause] = holds.get((hold["scope"], cause), 0) + 1
        files[cause,] = files.get((cause,), 0) + hold.get("files", 0)
        size[cause,] = size.get((cause,), 0) + hold.get("bytes", 0)
    return {
        HOLDS: [*holds.items()],
        HELD_FILES: [*files.items()],
        HELD_BYTES: [*size.items()],
        ALARMS: [((cause,), number) for cause, number in alarms.items()],
        REVISION: [((), status.get("revision", 0))],
    }


def _of_work(status: Mapping[str, Any]) -> dict[MetricFamily, list[Sample]]:
    stages = status.get("stages") or ()
    free = (status.get("disk") or {}).get("staging_free")
    return {
        RUNNING: [((stage["stage"],), stage["running"]) for stage in stages],
        SIGN: [((stage["stage"],), _seconds(stage["sign"])) for stage in stages],
        CALLS: [((c["operation"], c["status"]), c["number"]) for c in status.get("calls") or ()],
        DISK: [] if free is None else [(("staging",), free)],
    }


def _of_cluster(status: Mapping[str, Any]) -> dict[MetricFamily, list[Sample]]:
    """Without samples where this machine converts."""
    found = status.get("cluster")
    if found is None:
        return {family: [] for family in OF_CLUSTER}
    each = found.get("each", ())
    return {
        CLUSTER: [(("there",), found["workers"]), (("avoided",), found["avoided"])],
        CLUSTER_SLOTS: [((), found["slots"])],
        CLUSTER_BYTES: [((), found["bytes"])],
        CLUSTER_LOST: [((), found["lost"])],
        WORKER_RUNNING: [((worker["address"],), len(worker["converting"])) for worker in each],
        WORKER_DONE: [((worker["address"],), worker["done"]) for worker in each],
        WORKER_LOST: [((worker["address"],), worker["lost"]) for worker in each],
    }


def _seconds(iso: str | None) -> float:
    return datetime.fromisoformat(iso).timestamp() if iso else 0.0
