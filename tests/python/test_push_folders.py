"""How the paths of a push become drop folders, and where its journal lies."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from uploader.config import Settings
from uploader.python import push_folders, push_job

pytestmark = pytest.mark.unit


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """Some files in folders, which are the current folder's."""
    for name in ("a/one.tif", "a/two.TIF", "a/map.gpkg", "a/sub/three.tif", "b/four.tif", "b/[x]*.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def folders(*paths: str) -> dict[str, tuple[bool, tuple[str, ...], tuple[str, ...]]]:
    """What push would watch: by folder whether recursive, what is converted, what is sent as it is."""
    found = push_folders.folders_of([Path(path) for path in paths], "p", "c")
    return {f.path.name: (f.recursive, f.include, f.passthrough) for f in found}


def test_files_are_taken_by_their_very_names(tree):
    """Neighbours are left alone; what is no raster goes as it is."""
    assert folders("a/one.tif", "a/two.TIF", "a/map.gpkg", "b/four.tif") == {
        "a": (False, ("one.tif", "two.TIF"), ("map.gpkg",)),
        "b": (False, ("four.tif",), ()),
    }


def test_an_archive_is_opened_and_searched_as_a_folder_is(tree):
    """By its very name; one of a kind that is not opened goes as it is."""
    assert folders("a/order[1].zip", "a/one.tif", "a/other.7z") == {
        "a": (
            False,
            ("order[[]1].zip", "one.tif", "*/*.tif", "*/*.tiff"),
            ("other.7z",),
        ),
    }


def test_a_folder_is_taken_with_all_below(tree):
    """Directory by directory; what is named again within it is not taken twice, what it would leave out is added."""
    assert folders("a", "a/map.gpkg", "a/sub", "b/four.tif") == {
        "a": (False, push_folders.PATTERNS, ("map.gpkg",)),
        "sub": (False, push_folders.PATTERNS, ()),
        "b": (False, ("four.tif",), ()),
    }


def test_a_large_tree_is_watched_as_one(tree, monkeypatch):
    """Thousands of directories would need as many watches and locks."""
    monkeypatch.setattr(push_folders, "MOST_FOLDERS", 1)
    assert folders("a", "a/map.gpkg") == {"a": (True, push_folders.PATTERNS, ("map.gpkg",))}


def test_folders_of_a_push_never_overlap(tree):
    """A file beside a folder that is taken whole is watched flat, which the configuration allows."""
    chosen = push_job.settings_of([Path("a/one.tif"), Path("a/sub")], "p", "", Settings())
    assert [(f.path.name, f.recursive) for f in chosen.folders] == [("sub", False), ("a", False)]


@pytest.mark.parametrize("name", ["[x]*.tif", "a?b.tif", "[!a].tif", "plain.tif"])
def test_a_name_is_not_a_pattern(name):
    """Its brackets and stars mean themselves."""
    pattern = push_folders.exactly(name)
    assert fnmatchcase(name, pattern)
    assert not fnmatchcase(
        name.replace("*", "zz").replace("?", "zz").replace("[x]", "x").replace("[!a]", "b") + "z", pattern
    )


def test_a_name_that_is_no_text_is_found_all_the_same():
    """A configuration is text, so broken bytes become "any character"."""
    assert push_folders.exactly("a\udcff.tif") == "a?.tif"


def test_the_same_target_has_the_same_state_again(tree):
    """That is how an interrupted push goes on; another project has another."""
    one, again, other = (
        push_job.settings_of([Path(p)], t, "", Settings()) for p, t in (("a", "p"), ("b", "p"), ("a", "q"))
    )
    assert one.state_dir == again.state_dir
    assert one.state_dir != other.state_dir
    assert one.state_dir.is_relative_to(tree / "state")
    elsewhere = push_job.settings_of([Path("a")], "p", "", Settings(), state_dir=tree / "mine")
    assert elsewhere.state_dir == tree / "mine" / one.state_dir.name
