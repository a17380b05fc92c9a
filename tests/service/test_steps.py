"""Steps that change a machine: done once, done whole, printed as what a person would type."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from uploader.core.errors import UploaderError
from uploader.service.steps import MakeFolder, RunCommand, Share, WriteFile

pytestmark = pytest.mark.unit


def mode(path: Path) -> int:
    """The rights of a path."""
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("secret", [True, False])
def test_a_file_appears_whole_with_its_mode(tmp_path: Path, secret: bool) -> None:
    """Whatever the umask; a second time nothing is to be done, and nothing is left beside it."""
    step = WriteFile(tmp_path / "new" / "file", "a 'quoted' $text\n", 0o640, secret=secret)
    before = os.umask(0o077)
    try:
        assert not step.done(changed=False)
        step.do()
    finally:
        os.umask(before)
    assert step.done(changed=True)
    assert step.path.read_text() == step.content
    assert mode(step.path) == 0o640
    assert list(step.path.parent.iterdir()) == [step.path]


def test_a_secret_that_others_can_read_is_written_anew(tmp_path: Path) -> None:
    """The right key in a file that is open to all is not done; its text is never printed."""
    step = WriteFile(tmp_path / "key", "gpra_secret\n", 0o600, secret=True)
    step.path.write_text(step.content)
    step.path.chmod(0o644)
    assert not step.done(changed=False)
    step.do()
    assert mode(step.path) == 0o600
    assert "gpra" not in step.shell()
    assert "gpra" not in repr(step)


def test_what_is_printed_does_the_same(tmp_path: Path) -> None:
    """The lines for a shell, typed there, leave nothing to be done."""
    steps = [
        MakeFolder(tmp_path / "a b", 0o2770),
        WriteFile(tmp_path / "a b" / "it's", "one $x `y`\ntwo\\n\n"),
    ]
    subprocess.run(["sh", "-eu"], input="\n".join(step.shell() for step in steps), text=True, check=True)
    assert all(step.done(changed=False) for step in steps)
    assert mode(tmp_path / "a b") == 0o2770


def test_a_folder_is_not_made_where_its_disk_is_missing(tmp_path: Path) -> None:
    """Its parent is not there, so it would come to lie on another disk."""
    assert MakeFolder(tmp_path / "disk" / "drop", 0o770).done(changed=False)
    assert not MakeFolder(tmp_path / "drop", 0o770).done(changed=False)


@pytest.mark.root
def test_only_what_is_roots_alone_is_given_to_a_group(tmp_path: Path) -> None:
    """A folder that somebody has arranged stays as it is."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    step = Share(tmp_path / "drop", "daemon", "g+rwx", 0o070)
    step.path.mkdir(0o700)
    assert not step.done(changed=False)
    step.do()
    assert step.done(changed=False)
    assert mode(step.path) == 0o770
    assert Share(tmp_path / "missing", "daemon", "g+r", 0o040).done(changed=False)


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    """In its own words, with what was typed."""
    with pytest.raises(UploaderError, match=r"`cat .*missing` failed: .*No such file"):
        RunCommand(("cat", str(tmp_path / "missing")), lambda _: True).do()
