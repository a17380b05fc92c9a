"""Control files: whose they are, and by which programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core import control_files

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "control",
    [
        b"a.tif.aria2",
        b"a.tif.aspera-ckpt",
        b"a.tif.aspx",
        b"a.tif.partial",
        b"a.tif.part",
        b".a.tif.part",
        b"a.tif.part.met",
        b"a.tif.st",
        b"a.tif.!qB",
        b"a.tif.filepart",
        b"a.tif.crdownload",
        b"a.tif.lftp-pget-status",
        b".syncthing.a.tif.tmp",
        b"a.tif_.gstmp",
    ],
)
def test_control_files_name_what_arrives(control: bytes) -> None:
    """From a control file's name it can be told whose it is, and back."""
    assert b"a.tif" in control_files.owners(control)
    assert control in control_files.of(b"a.tif")


@pytest.mark.parametrize(
    "name", [b"a.tif", b"a.tfw", b".aria2", b"a.tif.ARIA2", b"a.tif.aria2.txt", b"part", b".part"]
)
def test_other_files_are_nobodys_control_file(name: bytes) -> None:
    """A name that only resembles one holds nothing back."""
    assert not control_files.owners(name)


@given(st.binary(min_size=1, max_size=80).filter(lambda b: b"/" not in b and b"\0" not in b))
def test_both_directions_agree(name: bytes) -> None:
    """A look by name and a listing of the folder see the same control files."""
    for control in control_files.of(name):
        assert name in control_files.owners(control)
