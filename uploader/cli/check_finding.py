"""What a probe of `uploader check` found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do where it is not well."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    text: str
    way_out: str = ""

    def to_json(self) -> dict[str, str]:
        """The finding as `--json` prints it."""
        return asdict(self)


def ok(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", text)


def warn(name: str, text: str, way_out: str) -> Finding:
    """It works, but worse than it could."""
    return Finding(name, "warn", text, way_out)


def fail(name: str, text: str, way_out: str = "") -> Finding:
    """It will not work."""
    return Finding(name, "fail", text, way_out)
