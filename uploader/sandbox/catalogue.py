"""The built-in catalogue: hosts and their captures, made up but like real ones. Pure; the same in every run.

`earthsearch-aws` is free and has a year of Sentinel-2 passes over four tiles. `harbour-archive` stands for any
commercial host: half-metre scenes of one city, sold by area.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from uploader.sandbox.geometry import polygon

if TYPE_CHECKING:
    from uploader.sandbox.geometry import Box


@dataclass(frozen=True, slots=True)
class Host:
    """A seller of captures. Prices are credits (100 are one Australian dollar); zero: the host is free."""

    name: str
    collection: str
    gsd: float
    credits_per_km2: int = 0
    min_km2: float = 0.0

    @property
    def commercial(self) -> bool:
        """Whether its captures cost anything."""
        return self.credits_per_km2 > 0


@dataclass(frozen=True, slots=True)
class Capture:
    """One picture that can be ordered; `taken` in UTC, `cloud_cover` in percent."""

    id: str
    host: Host
    box: Box
    taken: datetime
    cloud_cover: float
    platform: str
    tile: str
    code: str

    @property
    def stamp(self) -> str:
        """When it was taken, as STAC writes it."""
        return self.taken.isoformat().replace("+00:00", "Z")

    def feature(self) -> dict[str, Any]:
        """The capture as a STAC feature; pricing only where the host is commercial."""
        properties: dict[str, Any] = {
            "datetime": self.stamp,
            "platform": self.platform,
            "constellation": self.platform[:-1] if self.platform[-1] in "abc" else self.platform,
            "gsd": self.host.gsd,
            "eo:cloud_cover": self.cloud_cover,
            "proj:code": self.code,
            "grid:code": f"MGRS-{self.tile}",
            "geopera:host": self.host.name,
        }
        if self.host.commercial:
            properties["geopera:pricing"] = pricing(self.host)
        return {
            "type": "Feature",
            "stac_version": "1.1.0",
            "stac_extensions": list(_EXTENSIONS),
            "id": self.id,
            "collection": self.host.collection,
            "geometry": polygon(self.box),
            "bbox": list(self.box),
            "properties": properties,
            "links": [],
            "assets": {},
        }


HOSTS = {
    one.name: one
    for one in (
        Host("earthsearch-aws", "sentinel-2-l2a", 10.0),
        Host("harbour-archive", "vhr-optical-50cm", 0.5, credits_per_km2=40, min_km2=25.0),
    )
}
_EXTENSIONS = tuple(
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("eo/v2.0.0", "projection/v2.0.0", "grid/v1.1.0")
)
_TILES: tuple[tuple[str, str, Box, tuple[int, int, int]], ...] = (
    ("56HLH", "EPSG:32756", (150.83, -34.43, 152.03, -33.42), (23, 52, 31)),
    ("55HCU", "EPSG:32755", (144.69, -37.95, 145.99, -36.94), (0, 12, 19)),
    ("31UDQ", "EPSG:32631", (1.63, 48.65, 3.14, 49.65), (10, 56, 41)),
    ("11SLT", "EPSG:32611", (-119.19, 33.33, -117.97, 34.34), (18, 38, 27)),
)
"""Sentinel-2 tiles: name, projection, bounds, and the hour, minute and second (UTC) of the pass."""
_SCENES: tuple[tuple[str, Box], ...] = (
    ("01", (151.08, -33.93, 151.32, -33.77)),
    ("02", (151.20, -34.05, 151.40, -33.88)),
    ("03", (150.95, -33.88, 151.15, -33.70)),
)
_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
_DAYS = 366
_REPEAT_DAYS = 5
_SCENE_DAYS = 45


def pricing(host: Host) -> dict[str, Any]:
    """What a commercial host asks, as its captures show it."""
    return {
        "currency": "AUD",
        "aud_per_km2": host.credits_per_km2 / 100,
        "credits_per_km2": host.credits_per_km2,
        "min_area_km2": host.min_km2,
    }


@cache
def captures() -> dict[tuple[str, str], Capture]:
    """Every capture by host name and id, newest first."""
    made = sorted((*_sentinel(), *_commercial()), key=lambda one: (one.taken, one.id), reverse=True)
    return {(one.host.name, one.id): one for one in made}


def _sentinel() -> list[Capture]:
    host = HOSTS["earthsearch-aws"]
    made = []
    for number, (tile, code, box, clock) in enumerate(_TILES):
        for day in range(number, _DAYS, _REPEAT_DAYS):
            taken = _YEAR + timedelta(days=day, hours=clock[0], minutes=clock[1], seconds=clock[2])
            which = "AB"[day // _REPEAT_DAYS % 2]
            name = f"S2{which}_{tile}_{taken:%Y%m%d}_0_L2A"
            craft = f"sentinel-2{which.lower()}"
            made.append(Capture(name, host, box, taken, _clouds(name), craft, tile, code))
    return made


def _commercial() -> list[Capture]:
    host = HOSTS["harbour-archive"]
    made = []
    for scene, box in _SCENES:
        for day in range(int(scene) * 7, _DAYS, _SCENE_DAYS):
            taken = _YEAR + timedelta(days=day, minutes=27 + day % 11)
            name = f"HA50_{taken:%Y%m%d}_SYD{scene}"
            made.append(Capture(name, host, box, taken, _clouds(name), "harbour-1", "56HLH", "EPSG:32756"))
    return made


def _clouds(name: str) -> float:
    """A percentage that the id decides: half of all captures are nearly clear, as over dry coasts."""
    draw = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / (1 << 32)
    return round(100 * draw**3, 2)
