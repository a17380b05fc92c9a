"""What the folders are called in which conversions work."""

from __future__ import annotations

WORKSHOP = ".converting"
"""What their names end with."""
