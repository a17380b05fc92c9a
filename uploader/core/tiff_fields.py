"""What TIFF says of its fields, for whoever reads them: the scan that wants to know their end, and the writer of heads.

Source: "TIFF Revision 6.0", section 2; the types from 13 on are those of the supplements and of BigTIFF.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPE_BYTES: Mapping[int, int] = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of one value, by the number of its type."""
