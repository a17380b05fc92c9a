"""The sizes of TIFF's types, against a library that shares nothing with ours."""

from __future__ import annotations

import struct

import pytest
import tifffile

from uploader.core.tiff_fields import TYPE_BYTES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("number", sorted(TYPE_BYTES))
def test_a_type_is_as_wide_as_tifffile_has_it(number: int) -> None:
    """Of a fraction both halves count."""
    wanted = struct.calcsize(f"<{tifffile.TIFF.DATA_FORMATS[number]}")

    assert TYPE_BYTES[number] == wanted


def test_no_type_is_missing() -> None:
    """Those of TIFF 6.0, of its supplements, and of BigTIFF."""
    assert set(TYPE_BYTES) == set(tifffile.TIFF.DATA_FORMATS)
