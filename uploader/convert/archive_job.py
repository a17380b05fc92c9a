"""What is asked about an archive, and what is answered; both cross a pipe as one line of JSON, as a `Job` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uploader.core.archives import ArchiveEntry


@dataclass(frozen=True, slots=True)
class ArchiveJob:
    """An archive to be listed; or, where there is a target, to be unpacked.

    `kind` is one of `core.archives.KINDS`. `wanted` says where below `target`, an empty folder, each member goes, by
    its number: to several places, where it belongs to several rasters. What it does not name is left. `room` is how
    many bytes may be written. `timeout_seconds` of wall clock.
    """

    source: Path
    kind: str
    memory_limit: int
    timeout_seconds: float
    target: Path | None = None
    wanted: Mapping[int, Sequence[str]] = field(default_factory=dict)
    room: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types; paths travel as text with surrogates escaped."""
        return {
            "source": str(self.source),
            "kind": self.kind,
            "target": None if self.target is None else str(self.target),
            "wanted": [[number, list(places)] for number, places in self.wanted.items()],
            "room": self.room,
            "memory_limit": self.memory_limit,
            "timeout_seconds": self.timeout_seconds,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ArchiveJob:
        """The inverse of `to_json`."""
        target, wanted = data["target"], {int(number): tuple(places) for number, places in data["wanted"]}
        places = {"source": Path(data["source"]), "target": None if target is None else Path(target)}
        return cls(**(data | places | {"wanted": wanted}))


def entries_to_json(entries: list[ArchiveEntry]) -> list[list[Any]]:
    """The files of an archive as plain JSON types."""
    return [[entry.number, entry.name, entry.size] for entry in entries]


def entries_from_json(data: Any) -> list[ArchiveEntry]:
    """Read a child's list, every field checked. Raises ValueError, TypeError, KeyError or AttributeError."""
    found = [ArchiveEntry(int(number), str(name), int(size)) for number, name, size in data]
    if any(entry.number < 0 or entry.size < 0 for entry in found):
        raise ValueError("no such file")
    return found
