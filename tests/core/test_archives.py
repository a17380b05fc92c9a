"""Tests of which files hold others."""

from __future__ import annotations

import pytest

from uploader.core.archives import is_archive

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        (b"S2A_MSIL1C.SAFE.zip", True),
        (b"ORDER.TAR", True),
        (b"order.tar.gz", True),
        (b"a.tif", False),
        (b"a.tif.gz", False),
        (b"zip", False),
    ],
)
def test_archives_are_known_by_their_endings(name: bytes, archive: bool) -> None:
    """In either case."""
    assert is_archive(name) is archive
