"""All reports, by circumstance."""

from __future__ import annotations

from tests.support.reports import layouts, places, samples
from tests.support.reports.base import REPORTS, Report

MODULES = (layouts, places, samples)
"""Where the makers are, which enter themselves into the register."""

__all__ = ["MODULES", "REPORTS", "Report"]
