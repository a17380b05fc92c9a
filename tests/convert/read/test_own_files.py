"""A raster's files are files, not links to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.convert.read.own_files import require_no_links
from uploader.core.errors import RasterUnreadable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("linked", "beside", "link", "said"),
    [
        (False, None, "a.tif", "The file cannot be opened"),
        (False, (), "a.tif", "The file cannot be opened"),
        (True, None, "a.tif", ""),
        (True, None, "a.tfw", "The sidecar .tfw cannot be opened"),
        (True, ("a.tfw",), "a.tfw", "The sidecar .tfw cannot be opened"),
        (True, ("a.prj",), "a.tfw", ""),
    ],
)
def test_only_the_raster_may_be_a_link_and_only_where_it_is_ours(
    tmp_path: Path, linked: bool, beside: tuple[str, ...] | None, link: str, said: str
) -> None:
    """Among the files of others only those count that belong to it."""
    (tmp_path / "other").touch()
    for name in ("a.tif", "a.tfw", "a.prj"):
        if name == link:
            (tmp_path / name).symlink_to("other")
        else:
            (tmp_path / name).touch()

    if not said:
        require_no_links(tmp_path / "a.tif", beside, linked=linked)
        return
    with pytest.raises(RasterUnreadable, match=said):
        require_no_links(tmp_path / "a.tif", beside, linked=linked)
