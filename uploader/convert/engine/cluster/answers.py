"""What the client's process and the workers say, read as from somebody who may be out of his mind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from uploader.convert.engine.child_answers import nonsense, report_of
from uploader.convert.isolation.verdict import Confinement
from uploader.convert.job import Report

_WORDS = 500
_NAMES = 200
_MOST_WORKERS = 10_000
_MOST_THREADS = 4096
_SHA256 = re.compile(r"[0-9a-f]{64}")

_OF_THE_WORKER = frozenset({"ConverterBroken", "Shortage"})
"""Errors that say something of the worker's machine, and nothing of the raster."""


class WorkerLost(Exception):
    """The worker that had begun with an attempt is gone, or does not answer in time."""


class WorkerUnfit(Exception):
    """A worker cannot convert for this daemon: `worker` is its address, empty where that is not known."""

    def __init__(self, worker: str, why: str) -> None:
        super().__init__(why)
        self.worker = worker
        self.why = why


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a worker tells of its machine."""

    name: str = ""
    gdal: str = ""
    rasterio: str = ""
    confinement: Confinement | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A conversion that came to its end, as its worker tells it; `size` in bytes, `sha256` in hexadecimal."""

    worker: str
    report: Report
    size: int
    sha256: str
    host: HostFacts = field(default_factory=HostFacts)


def done_of(answer: Any) -> Done:
    """What the answer of a task says.

    Raises what it says is wrong, WorkerLost, WorkerUnfit, and ConversionFailed for nonsense.
    """
    if not isinstance(answer, dict):
        raise nonsense()
    worker = text_of(answer.get("worker"), _NAMES)
    if "lost" in answer:
        raise WorkerLost(text_of(answer["lost"]))
    if "unfit" in answer:
        raise WorkerUnfit(worker, text_of(answer["unfit"]))
    if answer.get("error") in _OF_THE_WORKER:
        raise WorkerUnfit(worker, text_of(answer.get("reason")))
    report = report_of(answer)
    size, sha256 = answer.get("size"), answer.get("sha256")
    if not isinstance(size, int) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise nonsense()
    return Done(worker, report, size, sha256, host_of(answer.get("host")))


def host_of(told: Any) -> HostFacts:
    """What is told of a machine, as far as it makes sense: nothing is decided by it."""
    if not isinstance(told, dict):
        return HostFacts()
    try:
        confinement = Confinement.from_json(told["confinement"])
    except (KeyError, TypeError, ValueError):
        confinement = None
    name, gdal, rasterio = (text_of(told.get(key), _NAMES) for key in ("name", "gdal", "rasterio"))
    return HostFacts(name, gdal, rasterio, confinement)


def workers_of(told: Any) -> dict[str, int]:
    """By address: how many tasks a worker runs at once. Raises ConversionFailed for nonsense."""
    if not isinstance(told, dict) or len(told) > _MOST_WORKERS:
        raise nonsense()
    found = {}
    for address, count in told.items():
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MOST_THREADS:
            raise nonsense()
        found[text_of(address, _NAMES)] = count
    return found


def text_of(told: Any, most: int = _WORDS) -> str:
    """Words for people, of bounded length and on one line; empty for anything else."""
    return (
        " ".join("".join(c if c.isprintable() else " " for c in told[:most]).split())
        if isinstance(told, str)
        else ""
    )
