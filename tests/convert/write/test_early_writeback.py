"""What the disk does while a result is compared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.page_cache import dirty_pages
from uploader.convert.write import early_writeback
from uploader.convert.write.early_writeback import written_back

pytestmark = pytest.mark.unit


def test_a_large_result_is_on_its_way_to_the_disk_when_the_block_ends(tmp_path: Path, monkeypatch) -> None:
    """Files that are spare are gone then, also those of a small one."""
    result, spare = tmp_path / "result.tif", [tmp_path / "a", tmp_path / "b"]
    result.write_bytes(os.urandom(1 << 20))
    if not dirty_pages(result):
        pytest.skip("nothing waits for a disk here")
    for large in (2 << 20, 1 << 20):
        monkeypatch.setattr(early_writeback, "_LARGE", large)
        for path in spare:
            path.touch()

        with written_back(result, spare):
            pass

        assert not any(path.exists() for path in spare)
    assert not dirty_pages(result)


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch) -> None:
    """Large or small, as the system says it."""
    result = tmp_path / "result.tif"
    result.write_bytes(b"x")
    for large in (0, 2):
        monkeypatch.setattr(early_writeback, "_LARGE", large)
        with pytest.raises(FileNotFoundError), written_back(result, [tmp_path / "gone"]):
            pass
