"""`[[folders.scenes]]`: what is read, what is refused and in which words."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from uploader.config import load
from uploader.config.scene_sections import placed
from uploader.core.errors import ConfigurationError
from uploader.core.scene_recipes import RECIPES
from uploader.core.scene_rules import Policy

pytestmark = pytest.mark.unit

HEAD = '[[folders]]\npath = "/srv/drop"\nproject_id = "p-1"\n[[folders.scenes]]\n'
RULE = r"rules = [{ pattern = '(?P<scene>\w+)-(?P<asset>[a-z]+)\.tif'"


def read(folder: Path, text: str):
    """The folders of a configuration with one section of scenes."""
    path = folder / "config.toml"
    path.write_text(HEAD + text)
    return load(path).folders


def test_rules_come_out_as_the_decision_takes_them(tmp_path):
    """Numbers stay numbers, and zones are known by name."""
    (folder,) = read(
        tmp_path, f'{RULE}, properties = {{ gsd = 0.5 }} }}]\nproperties = {{ "eo:a" = true }}\n'
    )
    found = folder.scenes[0].scene_rules

    assert [dict(rule.properties) for rule in found.rules] == [{"gsd": 0.5}]
    assert (dict(found.properties), found.zone) == ({"eo:a": True}, UTC)
    assert hash(folder) == hash(folder.model_copy())


def test_a_recipe_brings_its_rules_and_its_dates(tmp_path):
    """All of it by its name."""
    (folder,) = read(tmp_path, 'recipe = "landsat-c2"\n')

    assert folder.scenes[0].scene_rules.rules == RECIPES["landsat-c2"].rules
    assert folder.scenes[0].scene_rules.date_format == "%Y%m%d"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('recipe = "sentinel"\n', 5, "is no recipe; known are sentinel-2-l1c"),
        ('recipe = "landsat-c2"\ntimezone = "Europe/Berlin"\n', 4, "leave out date_format and timezone"),
        ("", 4, "either a recipe or rules"),
        (f"{RULE} }}]\ntimezone = 'Mars/Base'\n", 6, "is no time zone that this machine knows"),
        (f"{RULE} }}]\ntimezone = '../zone'\n", 6, "is no time zone that this machine knows"),
        (f"{RULE} }}]\ndate_format = '%Y%Q'\n", 6, "holds %Q; known are %Y"),
        (f"{RULE} }}]\nproperties = {{ datetime = 'x' }}\n", 6, "comes from the groups date and tile"),
        (f"{RULE} }}]\nproperties = {{ a = [1] }}\n", 6, "should be text, a finite number, true or false"),
        (f"{RULE} }}]\nproperties = {{ a = 'x{{b:int}}' }}\n", 6, "a number among other text"),
        (f"{RULE}, asset = '{{band}}' }}]\n", 5, 'asks for the group "band"'),
        (f"{RULE}, asste = 'x' }}]\n", 5, "Did you mean asset?"),
        ("rules = [{ pattern = '(?P<scene>(a+)+)' }]\n", 5, "could keep it busy for ever"),
        ("rules = [{ pattern = '(' }]\n", 5, "is not a pattern"),
    ],
)
def test_each_mistake_has_its_line_and_a_way_out(tmp_path, text, line, words):
    """As everywhere else in the file."""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)

    assert f"config.toml:{line}: [[folders]] #1 scenes #1" in str(caught.value)
    assert words in str(caught.value)


def test_scenes_and_one_item_for_all_contradict_each_other(tmp_path):
    """A folder whose files are assets of one item has no scenes."""
    path = tmp_path / "config.toml"
    path.write_text(HEAD.replace("[[folders.s", 'item_id = "i"\n[[folders.s') + 'recipe = "landsat-c2"\n')

    with pytest.raises(ConfigurationError, match="scenes: make items of their own"):
        load(path)


def test_what_says_how_a_scene_comes_about_reaches_the_decision(tmp_path):
    """Primary, completeness and versions are a policy, in which the marker has its groups filled in."""
    text = 'primary = "a"\ncomplete = "{scene}.done"\ncomplete_wait = "5m"\non_new_version = "ignore_older"\n'
    folder = read(tmp_path, text + "rules = [{ pattern = '(?P<scene>[^_]+)_(?P<asset>a)\\.tif' }]\n")[0]

    assert placed(folder.scenes, b"S_a.tif").policy == Policy("a", "S.done", 300.0, newest_only=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('complete = "a/b"\n', "without a slash"),
        ("create_collections = true\n", "names none"),
        ('complete_wait = "0"\n', "complete_wait"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(tmp_path, text, words):
    """Before anything is uploaded by it."""
    with pytest.raises(ConfigurationError, match=words):
        read(tmp_path, text + 'recipe = "landsat-c2"\n')


def test_a_folder_of_scenes_keeps_rasters_that_are_alike(tmp_path):
    """The empty masks of two scenes are one content, and each scene needs its own."""
    path = tmp_path / "config.toml"
    path.write_text(
        HEAD.replace("[[folders.s", 'duplicates = "skip"\n[[folders.s') + 'recipe = "landsat-c2"\n'
    )

    with pytest.raises(ConfigurationError, match="duplicates: leaves out rasters that are alike"):
        load(path)
