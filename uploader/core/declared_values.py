"""What a person may declare for rasters that do not say it themselves, as it is written: a system, a nodata value.

Whether a code is in the register, and what a type can hold, is found out where the raster is converted.
"""

from __future__ import annotations

import math
import re

ON_MISSING_CRS = ("warn", "reject")

_CODE = re.compile(r"[A-Za-z]\w{1,15}:\w{1,16}(\+\d{1,16})?")
_WKT = re.compile(r"[A-Z][A-Z_]{4,}\d?\s*\[.*\]", re.DOTALL)
_PROJ = re.compile(r"\+(?:proj|init)=\S+(\s+\+\S+)*")


def crs_text(value: str) -> str:
    """A declared system, trimmed; empty: none. Raises ValueError, with what to write, for what cannot be one."""
    text = value.strip()
    if text and not any(form.fullmatch(text) for form in (_CODE, _WKT, _PROJ)):
        raise ValueError(
            'is no reference system; write "EPSG:25832", WKT, or a PROJ string that begins with +proj='
        )
    return text


def nodata_text(value: str | float) -> str:
    """A declared nodata value as text with all its digits; empty: none. Raises ValueError for what is no number."""
    text = str(value).strip()
    try:
        number = float(text or 0)
    except ValueError:
        number = math.inf
    if isinstance(value, bool) or math.isinf(number):
        raise ValueError('is no number; write for example 0, -9999 or "nan"')
    return "nan" if math.isnan(number) else text
