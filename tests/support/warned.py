"""What a report warns of: losses, apart from doubts about a raster that lost nothing."""

from __future__ import annotations

DOUBTS = frozenset({"crs_missing", "suspect_nodata", "nodata_unfit", "nodata_and_alpha"})


def losses(report) -> list[str]:
    """The codes of what is not in the result."""
    return [warning.code for warning in report.warnings if warning.code not in DOUBTS]
