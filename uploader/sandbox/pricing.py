"""What captures cost: the one calculation behind the price that is shown and the price that is taken. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uploader.sandbox.catalogue import HOSTS, Capture, captures
from uploader.sandbox.geometry import area_km2, polygon, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CREDITS_PER_DOLLAR = 100
_NOISE = 6
"""Decimals of a credit below which a sum of floats may differ from itself."""


@dataclass(frozen=True, slots=True)
class Line:
    """One capture of a cart with the area that is ordered of it; `wanted` is its geometry as given."""

    capture: Capture
    wanted: Mapping[str, Any]
    area_km2: float


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a cart. `errors` name what cannot be ordered, by its place in the cart."""

    lines: tuple[Line, ...]
    groups: tuple[dict[str, Any], ...]
    errors: tuple[dict[str, Any], ...]

    @property
    def credits(self) -> int:
        """The price of everything that can be ordered."""
        return sum(group["total_credits"] for group in self.groups)

    @property
    def dollars(self) -> float:
        """The same in Australian dollars."""
        return self.credits / CREDITS_PER_DOLLAR


def quote(cart: Sequence[Mapping[str, Any]], *, split_by_date: bool = False) -> Quote:
    """Price a cart of `{id, host, geometry}`; without a geometry the whole capture is meant.

    Captures of one host over one area of interest are a group, with `split_by_date` those of one day.
    """
    lines: list[Line] = []
    errors: list[dict[str, Any]] = []
    for index, wanted in enumerate(cart):
        found = _line(wanted)
        if isinstance(found, Line):
            lines.append(found)
        else:
            code, message = found
            named = {name: str(wanted.get(name, "")) for name in ("id", "host")}
            errors.append({"index": index, **named, "code": code, "message": message})
    return Quote(tuple(lines), tuple(_groups(lines, split_by_date=split_by_date)), tuple(errors))


def price(line: Line) -> int:
    """Whole credits for one capture: its area, at least the host's smallest, begun credits count."""
    host = line.capture.host
    return math.ceil(round(max(line.area_km2, host.min_km2) * host.credits_per_km2, _NOISE))


def _line(wanted: Mapping[str, Any]) -> Line | tuple[str, str]:
    """The line of a cart, or the code and text of what is wrong with it."""
    host = HOSTS.get(str(wanted.get("host", "")))
    if host is None:
        return "unknown_host", f"no host is called '{wanted.get('host', '')}'"
    capture = captures().get((host.name, str(wanted.get("id", ""))))
    if capture is None:
        return "unknown_capture", f"{host.name} has no capture '{wanted.get('id', '')}'"
    geometry = wanted.get("geometry") or polygon(capture.box)
    if not isinstance(geometry, dict):
        return "bad_geometry", "a GeoJSON geometry is wanted"
    try:
        area = area_km2(shape_of(geometry), capture.box)
    except ValueError as error:
        return "bad_geometry", str(error)
    if area <= 0:
        return "no_overlap", f"the geometry does not overlap capture '{capture.id}'"
    return Line(capture, {name: geometry[name] for name in ("type", "coordinates")}, area)


def _groups(lines: Sequence[Line], *, split_by_date: bool) -> list[dict[str, Any]]:
    sets: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        day = f"{line.capture.taken:%Y-%m-%d}" if split_by_date else ""
        shape = json.dumps(line.wanted, sort_keys=True)
        sets.setdefault((line.capture.host.name, shape, day), []).append(line)
    return [_group(host, day, members) for (host, _, day), members in sets.items()]


def _group(host: str, day: str, members: Sequence[Line]) -> dict[str, Any]:
    total = sum(price(line) for line in members)
    return {
        "host": host,
        "date": day or None,
        "geometry": members[0].wanted,
        "captures": [
            {"id": line.capture.id, "area_km2": round(line.area_km2, 4), "credits": price(line)}
            for line in members
        ],
        "area_km2": round(sum(line.area_km2 for line in members), 4),
        "credits_per_km2": HOSTS[host].credits_per_km2,
        "total_credits": total,
        "total_aud": total / CREDITS_PER_DOLLAR,
    }
