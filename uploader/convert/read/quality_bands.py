"""Which rasters are bit masks and quality bands: by what they are called, by their attributes, and by their values.

Each bit, or group of bits, of such a value says something of its own; the mean of two values says nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from uploader.convert.read.facts import Facts

CALLED: Mapping[str, str] = {
    "Landsat": r"qa_(?:pixel|radsat|aerosol)|bqa|(?:pixel|radsat|cloud|sr_cloud|sr_ddv)_qa|sr_aerosol|cfmask",
    "Landsat and Sentinel-2 harmonized": r"fmask",
    "Sentinel-2": r"scl|msk_(?:classi|clouds|qualit|detfoo|defect|nodata|satura|tecqua)|qa60",
    "MAJA": r"(?:clm|mg2|edg|sat|iab|dfp)_(?:r\d|xs|all)",
    "Planet": r"udm2?",
    "MODIS, VIIRS": (
        r"(?:sur_refl_)?(?:qc|state|qa)_(?:250m|500m|1km)|qc_(?:day|night)|vi_quality|pixel_reliability|"
        r"fpar(?:lai|extra)_qc|(?:summary|detailed)qa|(?:et|psn|npp|lst)_qc|mandatory_quality"
    ),
    "Sentinel-3, ocean colour": r"(?:quality|l2|pixel_classif|cloud)_flags|wqsf",
}
"""By product: how its bit masks and quality bands are called, as words between other signs than letters and digits.

Not `qa` or `qc` alone: people call so what has passed a check. Not `st_qa`, `msk_cldprb`, `msk_snwprb`: kelvins and
percents.
"""

_CALLED = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(CALLED.values())})(?![a-z0-9])", re.IGNORECASE)
_FLAGS = re.compile(r"(?:.*#)?flag_(?:masks|values|meanings)", re.IGNORECASE)
"""Attributes of the CF conventions, of a band or, in netCDF, of a variable."""

_SPARSE = 64
_NEIGHBOURS = 0.15


def is_quality(facts: Facts, name: str) -> bool:
    """Whether a raster of whole numbers is called so, or its bands are, or its attributes say that it has flags.

    `name` is what it was called in its folder.
    """
    data = [band for band in facts.bands if band.interpretation != "alpha"]
    if not data or any("int" not in band.dtype or "complex" in band.dtype for band in data):
        return False
    if _CALLED.search(name) or all(_CALLED.search(band.description) for band in data):
        return True
    keys = [key for key, _ in (*data[0].tags, *facts.tags)]
    return len(data) == 1 and any(_FLAGS.fullmatch(key) for key in keys)


def is_bit_mask(values: Collection[int]) -> bool:
    """Whether these few values look like sets of flags: far apart, and often but one bit from another.

    Steps of a quantity are close together; or where they are far apart, their bits have nothing in common.
    """
    known = frozenset(values)
    if len(known) <= 1 or min(known) < 0 or max(known) - min(known) < _SPARSE * len(known):
        return False
    bits = [1 << position for position in range(max(known).bit_length())]
    pairs = sum(value | bit in known for value in known for bit in bits if not value & bit)
    return pairs >= _NEIGHBOURS * len(known)
