"""The metrics: whole, well formed in both formats, and told of in the documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from uploader.report.metrics import FAMILIES, exposition

pytestmark = pytest.mark.unit

DOCUMENT = Path(__file__).parents[2] / "docs/metrics.md"
NOW = 1_800_000_000.0

STATUS: dict[str, Any] = {
    "pending": 2,
    "completed": 3,
    "rejected": 1,
    "files": {"queued": 2, "disposed": 3},
    "sessions": {"open": 1},
    "holds": [
        {"scope": "target", "cause": "target_refused", "files": 2, "bytes": 10},
        {"scope": "target", "cause": "target_refused", "files": 1, "bytes": 5},
    ],
    "revision": 7,
    "alarms": [{"cause": "target_refused"}],
    "folders": [
        {
            "path": '/d/"\\\n',
            "pending": 2,
            "completed": 3,
            "rejected": 1,
            "stages": {"queued": {"files": 2, "bytes": 9}},
        }
    ],
    "bytes": {"pending": 10, "uploaded": 4096},
    "oldest_pending": "2027-01-15T07:59:00+00:00",
    "last_completed": None,
    "possibly_leaked_bytes": 7,
    "stages": [{"stage": "convert", "running": 2, "sign": "2027-01-15T08:00:00+00:00"}],
    "calls": [{"operation": "uploads.initiate", "status": "402", "number": 4}],
    "disk": {"staging_free": 1 << 40},
    "sent": 5000,
    "cluster": {
        "workers": 3,
        "avoided": 1,
        "slots": 6,
        "bytes": 9,
        "lost": 2,
        "running": 4,
        "scheduler": "s",
        "each": [
            {
                "address": "tls://a:1",
                "threads": 2,
                "converting": ["x"],
                "done": 5,
                "lost": 1,
                "avoided": False,
            }
        ],
    },
}


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels; a second one of the same name and labels is an error."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in plain(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def test_a_status_becomes_metrics() -> None:
    """With the labels by which alerts are written; odd names are escaped, and come back as they were."""
    kind, body = exposition(STATUS, NOW)
    found = samples(body.decode())

    assert kind.startswith("text/plain; version=0.0.4")
    assert found["uploader_holds", (("cause", "target_refused"), ("scope", "target"))] == 2
    assert found["uploader_held_files", (("cause", "target_refused"),)] == 3
    assert found["uploader_held_bytes", (("cause", "target_refused"),)] == 15
    assert found["uploader_hold_revision", ()] == 7
    assert found["uploader_stage_bytes", (("folder", '/d/"\\\n'), ("state", "queued"))] == 9
    assert found["uploader_calls_total", (("operation", "uploads.initiate"), ("status", "402"))] == 4
    assert found["uploader_oldest_pending_seconds", ()] == 60
    assert found["uploader_last_completed_timestamp_seconds", ()] == 0
    assert found["uploader_stage_sign_timestamp_seconds", (("stage", "convert"),)] == NOW
    assert found["uploader_disk_free_bytes", (("place", "staging"),)] == 1 << 40
    assert found["uploader_cluster_worker_done_total", (("worker", "tls://a:1"),)] == 5
    assert found["process_resident_memory_bytes", ()] > 0


def test_open_metrics_are_given_to_who_asks_for_them() -> None:
    """Whole, with its end, as the strict parser reads it."""
    kind, body = exposition(STATUS, NOW, "application/openmetrics-text; version=1.0.0")

    assert kind.startswith("application/openmetrics-text")
    assert body.decode().endswith("# EOF\n")
    assert {f"uploader_{family.name}" for family in FAMILIES} <= {f.name for f in open_metrics(body.decode())}


def test_an_empty_status_has_every_family() -> None:
    """Of a daemon that has just been started."""
    names = {family.name for family in plain(exposition({}, NOW)[1].decode())}

    assert {f"uploader_{family.name}" for family in FAMILIES} <= names


def test_every_metric_is_told_of() -> None:
    """Name, type, labels and text stand in the table, in this order, and no other's; the process's names, too."""
    text = DOCUMENT.read_text()
    rows = re.findall(r"^\| `uploader_([a-z_]+)` \| (\w+) \| ([^|]*) \| ([^|]+) \|$", text, re.MULTILINE)
    told = [(name, kind, re.findall("`([a-z]+)`", labels), words) for name, kind, labels, words in rows]

    assert told == [
        (
            f"{family.name}_total" if family.grows else family.name,
            "counter" if family.grows else "gauge",
            list(family.labels),
            family.text,
        )
        for family in FAMILIES
    ]
    process = {name for name, _ in samples(exposition({}, NOW)[1].decode()) if name.startswith("process_")}
    assert process == set(re.findall("`(process_[a-z_]+)`", text))
