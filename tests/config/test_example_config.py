"""config.example.toml: every key is in it, nothing else is, and its values are the defaults."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from uploader.config import Settings, load
from uploader.config.error_messages import known_keys
from uploader.config.scene_sections import ScenesSection
from uploader.config.toml_lines import line_numbers

pytestmark = pytest.mark.unit

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def shown() -> str:
    """The example with the sections that it only shows, which are commented without a space."""
    return re.sub(r"^#(?=[\[a-z])", "", EXAMPLE.read_text(), flags=re.MULTILINE)


def keys(table: dict[str, Any], section: str = "the top of the file") -> Iterator[tuple[str, str]]:
    """Every (section, key) of a document; what is a table of names that people choose is a key."""
    for name, value in table.items():
        path = f"{section.strip('[]')}.{name}" if section.startswith("[") else name
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for each in value:
                yield from keys(each, f"[[{path}]]")
        elif isinstance(value, dict) and name != "properties":
            yield from keys(value, f"[{path}]")
        else:
            yield section, name


def test_the_example_names_every_key_and_no_other():
    """Walk the models and the file against each other, both ways."""
    assert set(keys(tomllib.loads(shown()))) == set(known_keys(Settings))


def test_what_the_example_only_shows_has_the_defaults_too(tmp_path):
    """Somebody who takes the signs of a comment away, and lets a line out later, changes nothing."""
    file = tmp_path / "config.toml"
    file.write_text(shown())
    (scenes,) = load(file).folders[0].scenes
    (rule,) = scenes.rules
    assert scenes == ScenesSection(rules=[{"pattern": rule.pattern}])


def test_the_example_loads_and_its_values_are_the_defaults():
    """Somebody who deletes a line changes nothing."""
    example = load(EXAMPLE)
    folder = example.folders[0]
    bare = Settings(folders=(type(folder)(path=folder.path, project_id=folder.project_id),))
    assert example == bare


def test_every_key_of_the_example_has_a_comment_above():
    """A key is explained by the comment right above it or above the lines that it belongs with."""
    lines = EXAMPLE.read_text().splitlines()
    explained = 0
    for location, number in line_numbers(EXAMPLE.read_text()).items():
        above = lines[number - 2] if number > 1 else ""
        assert above.startswith(("#", "[")) or "=" in above or not above, location
        explained += above.startswith("#")
    assert explained > 25


def test_no_model_accepts_unknown_keys_or_changes():
    """A section that forgot this would swallow mistakes."""
    models = [Settings]
    while models:
        model = models.pop()
        assert model.model_config["extra"] == "forbid", model
        assert model.model_config["frozen"], model
        kinds = [field.annotation for field in model.model_fields.values()]
        models.extend(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
