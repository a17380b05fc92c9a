"""Which picture of a raster is shown when nobody says: a pure decision from what its bands tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RGB = ("red", "green", "blue")
_SCALE = "viridis"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A profile without its identity; `type` is one of the published ProfileType, `config` the style to paint by."""

    name: str
    type: str
    config: dict[str, Any]


def suggest(
    bands: Sequence[Mapping[str, Any]], dtype: str, *, palette: bool, categorical: bool
) -> Suggestion:
    """The default profile: colours where bands are called so, classes where they are, else one scale of one band.

    `bands` are as `painter.figures.describe` gives them.

    Example:
        >>> one = [{"index": 1, "common_name": "", "percentiles": [3.0, 9.0]}]
        >>> suggest(one, "int16", palette=False, categorical=False).config
        {'bands': [1], 'rescale': [[3.0, 9.0]], 'colormap': 'viridis'}

    """
    if palette:
        return Suggestion("Palette", "singleband", {"bands": [1], "colormap": "palette"})
    if categorical:
        return Suggestion("Classes", "singleband", {"bands": [1], "colormap": "classes"})
    chosen = _colours(bands)
    if chosen:
        kind = "rgb" if _named(bands) else "multiband"
        return Suggestion(
            "True colour" if kind == "rgb" else "First three bands", kind, _scaled(chosen, dtype)
        )
    only = [bands[0]]
    config = {"bands": [only[0]["index"]], "rescale": [_range(only[0], dtype)], "colormap": _SCALE}
    return Suggestion("First band", "singleband", config)


def _named(bands: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found = {band["common_name"]: band for band in reversed(bands)}
    return [found[name] for name in _RGB] if found.keys() >= set(_RGB) else []


def _colours(bands: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return _named(bands) or (list(bands[:3]) if len(bands) >= len(_RGB) else [])


def _scaled(bands: Sequence[Mapping[str, Any]], dtype: str) -> dict[str, Any]:
    return {"bands": [one["index"] for one in bands], "rescale": [_range(one, dtype) for one in bands]}


def _range(band: Mapping[str, Any], dtype: str) -> list[float]:
    """Bytes are pictures already; anything else is shown from its 2nd to its 98th percentile."""
    if dtype == "uint8":
        return [0.0, 255.0]
    low, high = band["percentiles"]
    return [low, high if high > low else low + 1.0]
