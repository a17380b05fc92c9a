"""Whether one folder lies inside another one, under whatever name."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.system import overlap
from uploader.system.overlap import FolderPlace, Mount, mounts

pytestmark = pytest.mark.unit

DISK = Mount(b"8:1", b"/", b"/")


def place(path: str, *table: Mount) -> FolderPlace:
    """Where a folder lies that need not exist."""
    return FolderPlace.of(Path(path), [DISK, *table])


def test_a_folder_is_inside_by_its_path_and_by_links(tmp_path: Path) -> None:
    """Names alone tell so much; a name that only begins alike is another one."""
    (tmp_path / "drop/inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "drop/inner")
    drop = FolderPlace.named(tmp_path / "drop")

    assert FolderPlace.named(tmp_path / "link").inside(drop)
    assert FolderPlace.named(tmp_path / "drop/not/there/yet").inside(drop)
    assert not FolderPlace.named(tmp_path / "drop2").inside(drop)
    assert FolderPlace.named(tmp_path / "link").same(FolderPlace.named(tmp_path / "drop/inner"))


def test_a_mount_tells_where_a_folder_is_on_its_file_system() -> None:
    """A part of the drop folder that is shown elsewhere, as bind mounts and volumes of containers are."""
    archive = Mount(b"8:1", b"/srv/drop/done", b"/mnt/archive")
    assert place("/mnt/archive", archive).inside(place("/srv/drop", archive))
    assert place("/mnt/archive/2026", archive).inside(place("/srv/drop", archive))
    assert not place("/mnt/archive", archive).inside(place("/srv/other", archive))
    other_disk = Mount(b"8:2", b"/srv/drop/done", b"/mnt/archive")
    assert not place("/mnt/archive", other_disk).inside(place("/srv/drop", other_disk))


@pytest.mark.parametrize("root", [b"/var/archive", b"/var", b"/var/archive/2026"])
def test_what_is_mounted_below_a_folder_is_seen_in_it(root: bytes) -> None:
    """The archive itself, something around it, or a part of it."""
    shown = Mount(b"8:1", root, b"/srv/drop/shown")
    assert place("/var/archive", shown).inside(place("/srv/drop", shown))
    assert not place("/var/else", Mount(b"8:1", b"/var/archive", b"/srv/drop/shown")).inside(
        place("/srv/drop", Mount(b"8:1", b"/var/archive", b"/srv/drop/shown"))
    )


def test_the_newest_mount_at_a_point_counts() -> None:
    """What was mounted there before is hidden by it."""
    old, new = Mount(b"8:1", b"/srv/drop", b"/mnt"), Mount(b"8:3", b"/", b"/mnt")
    assert not place("/mnt/a", old, new).inside(place("/srv/drop", old, new))


def test_inodes_along_the_parents_tell_without_a_mount_table(tmp_path: Path) -> None:
    """Where the table cannot be read, one folder of two names is still one."""
    (tmp_path / "drop/inner").mkdir(parents=True)
    drop = FolderPlace.of(tmp_path / "drop", [])
    alias = FolderPlace(b"/elsewhere", drop.identity, drop.above, overlap.NOWHERE, ())

    assert FolderPlace.of(tmp_path / "drop/inner", []).inside(alias)
    assert alias.same(drop)


def test_the_mount_table_of_this_machine_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with blanks are unescaped; what is no line of a table is left out; without a table there are no mounts."""
    assert any(mount.point == b"/" for mount in mounts())
    table = tmp_path / "mountinfo"
    table.write_text(
        "36 35 98:0 /a\\040b /mnt/my\\040disk rw,noatime master:1 - ext4 /dev/root rw\nnonsense\n"
    )
    monkeypatch.setattr(overlap, "MOUNTS", table)
    assert mounts() == [Mount(b"98:0", b"/a b", b"/mnt/my disk")]
    monkeypatch.setattr(overlap, "MOUNTS", tmp_path / "missing")
    assert mounts() == []
