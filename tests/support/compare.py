"""An independent comparison of a raster and its COG: shares no code with the program, and reads everything.

For tests: it is slow and simple on purpose, so that it can be believed.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags

from tests.support import systems


def differences(source: Path, cog: Path) -> list[str]:
    """All that differs in pixels, masks, nodata, georeference, GCPs, RPCs and colour tables; empty when equal."""
    with opened(source, cog) as a, rasterio.open(cog, sharing=False) as b:
        if (a.width, a.height, a.count) != (b.width, b.height, b.count) or a.dtypes != b.dtypes:
            return [
                f"shape: {a.width}x{a.height}x{a.count} {a.dtypes} became {b.width}x{b.height}x{b.count} {b.dtypes}"
            ]
        return [*_place(a, b), *(text for i in a.indexes for text in _band(a, b, i))]


def opened(source: Path, cog: Path):
    """The raster as it is; the numbers of an ASCII grid as the type that the COG has, for they have none."""
    options = {}
    if source.suffix.lower() in (".asc", ".grd"):
        with rasterio.open(cog, sharing=False) as b:
            options = {"DATATYPE": b.dtypes[0].capitalize()}
    return rasterio.open(source, sharing=False, **options)


def statistics(source: Path, cog: Path, reported, *, digits: float = 1e-12) -> list[str]:
    """Where the report or the metadata inside the COG differ from plain arithmetic with 80 bits.

    Ours must agree to 1e-12; `digits` are those of the metadata, which in a file that was sent as it is are another's.
    """
    wrong = []
    if _is_giant(source):
        return wrong
    with opened(source, cog) as a, rasterio.open(cog, sharing=False) as b:
        for i, band in zip(a.indexes, reported, strict=True):
            samples = a.read(i)
            samples = samples[a.read_masks(i) != 0]
            wanted = _plain(samples[np.isfinite(samples)].real, a.width * a.height)
            tags = b.tags(i)
            inside = {k: float(tags[t]) if t in tags else None for k, t in _TAGS.items()}
            for key, value in wanted.items():
                scale = max(abs(wanted["max"] or 0), abs(wanted["min"] or 0))
                if not _close(getattr(band, key), value, scale, 1e-12):
                    wrong.append(f"{key} of band {i} reported: {getattr(band, key)}, should be {value}")
                excused = digits > 1e-12 and key == "valid_percent"
                if not excused and not _close(inside[key], value, scale, digits):
                    wrong.append(f"{key} of band {i} inside: {inside[key]}, should be {value}")
    return wrong


def _is_giant(source):
    """Whether long arithmetic over the whole of it would take too long, and too much memory."""
    with rasterio.open(source, sharing=False) as a:
        return a.width * a.height > _GIANT


_GIANT = 8_000_000
_TAGS = {
    "min": "STATISTICS_MINIMUM", "max": "STATISTICS_MAXIMUM", "mean": "STATISTICS_MEAN", "std": "STATISTICS_STDDEV",
    "valid_percent": "STATISTICS_VALID_PERCENT",
}  # fmt: skip


def _plain(samples, pixels):
    if not samples.size:
        return dict.fromkeys(_TAGS, None) | {"valid_percent": 0.0}
    wide = samples.astype(np.longdouble)
    mean = wide.sum() / wide.size
    return {
        "min": float(samples.min()),
        "max": float(samples.max()),
        "mean": float(mean),
        "std": float(np.sqrt(((wide - mean) ** 2).sum() / wide.size)),
        "valid_percent": 100 * samples.size / pixels,
    }


def _close(found, wanted, scale, digits):
    """To twelve digits; a mean near zero has those of the values it is made of."""
    if found is None or wanted is None or not math.isfinite(wanted):
        return found is None and (wanted is None or not math.isfinite(wanted))
    return math.isclose(found, wanted, rel_tol=digits, abs_tol=digits / 1000 * scale)


def invented(cog: Path) -> list[str]:
    """Overviews of a raster of classes that hold values which the raster itself does not; alpha is no class."""
    if _is_giant(cog):
        return []
    with rasterio.open(cog, sharing=False) as b:
        known = [_values(b.read(i)) for i in b.indexes]
        levels = len(b.overviews(1))
        classes = [i for i, kind in zip(b.indexes, b.colorinterp, strict=True) if kind != ColorInterp.alpha]
    found = []
    for level in range(levels):
        with rasterio.open(cog, sharing=False, overview_level=level) as b:
            seen = [_values(b.read(i)[b.read_masks(i) != 0]) for i in b.indexes]
            strange = [i for i in classes if not seen[i - 1] <= known[i - 1]]
        found += [f"overview {level} of band {i} has made-up values" for i in strange]
    return found


def _values(samples):
    return set(np.unique(samples[np.isfinite(samples)]).tolist())


def _place(a, b):
    crs = systems.beside(Path(a.name)) if systems.is_none(a.crs) else a.crs
    if not systems.same(crs, b.crs):
        yield f"crs: {crs} became {b.crs}"
    if not np.allclose(a.get_transform(), b.get_transform(), rtol=1e-12, atol=1e-12):
        yield f"transform: {a.get_transform()} became {b.get_transform()}"
    points = [[(g.row, g.col, g.x, g.y, g.z or 0.0) for g in d.gcps[0]] for d in (a, b)]
    if len(points[0]) != len(points[1]) or (points[0] and not np.allclose(*points, rtol=1e-12, atol=1e-12)):
        yield "gcps"
    if points[0] and a.gcps[1] != b.gcps[1]:
        yield "gcps crs"
    before, after = a.tags(ns="RPC"), b.tags(ns="RPC")
    for key in set(before) - {"ERR_BIAS", "ERR_RAND"}:
        if not _near(_coefficients(before[key]), _coefficients(after.get(key, "nan"))):
            yield f"rpc {key}"


def _near(before, after):
    """Whether numbers are the same to the fifteen digits that GDAL shows of what a tag holds."""
    return len(before) == len(after) and all(
        math.isclose(x, y, rel_tol=1e-14) for x, y in zip(before, after, strict=True)
    )


def _coefficients(text):
    """The numbers of an RPC item, without the units that some programs write after them."""
    return [float(number) for number in _NUMBER.findall(text)]


_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")


def _band(a, b, i):
    pixels = [np.ascontiguousarray(d.read(i)) for d in (a, b)]
    if pixels[0].tobytes() != pixels[1].tobytes():
        yield f"pixels of band {i}: {int((pixels[0] != pixels[1]).sum())} differ"
    flags = a.mask_flag_enums[i - 1], b.mask_flag_enums[i - 1]
    if flags[0] != flags[1] and flags != (
        [],
        [MaskFlags.per_dataset],
    ):  # alike masks of all bands may become one
        yield f"mask flags of band {i}: {flags[0]} became {flags[1]}"
    if not np.array_equal(a.read_masks(i) != 0, b.read_masks(i) != 0):
        yield f"mask of band {i}"
    before, after = (_held(d.nodatavals[i - 1], d.dtypes[i - 1]) for d in (a, b))
    if before != after and not (
        before is not None and after is not None and math.isnan(before) and math.isnan(after)
    ):
        yield f"nodata of band {i}: {before} became {after}"
    if not _same_colours(_colours(a, i), _colours(b, i)):
        yield f"colour table of band {i}"
    yield from _interpretation(a, b, i)
    for name in ("descriptions", "units", "scales", "offsets"):
        before, after = (_told(d, name)[i - 1] or 0 for d in (a, b))
        follows = name == "units" and not before and after == systems.unit_of_heights(b.crs)
        if before != after and not follows:
            yield f"{name} of band {i}: {before} became {after}"


def _told(d, name):
    """What each band is told to be; bytes that are no UTF-8 as if they were Latin-1, as the heads are compared."""
    try:
        return getattr(d, name)
    except UnicodeDecodeError as error:
        text = error.object.decode("latin-1")
        return [text] * d.count


def _interpretation(a, b, i):
    before, after = a.colorinterp[i - 1], b.colorinterp[i - 1]
    if before != after and not (
        before == ColorInterp.undefined and after in (ColorInterp.gray, ColorInterp.palette)
    ):
        yield f"colour interpretation of band {i}: {before} became {after}"


def _held(nodata, dtype):
    """A float32 can only be compared with what a float32 is."""
    return float(np.float32(nodata)) if nodata is not None and dtype == "float32" else nodata


def _same_colours(before, after):
    """A TIFF has a colour for each possible value: one that was not given becomes black."""
    if not before or not after:
        return before == after
    return {**dict.fromkeys(after, (0, 0, 0, 255)), **before} == after


def _colours(d, i):
    if d.dtypes[i - 1].startswith("float"):
        return None
    try:
        return d.colormap(i)
    except ValueError:
        return None
