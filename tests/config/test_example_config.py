"""config.example.toml: every key is in it, nothing else is, and its values are the defaults."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from uploader.config import Settings, load
from uploader.config.error_messages import known_keys
from uploader.config.toml_lines import line_numbers

pytestmark = pytest.mark.unit

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def test_the_example_names_every_key_and_no_other():
    """Walk the models and the file against each other, both ways."""
    document = tomllib.loads(EXAMPLE.read_text())
    written = set()
    for name, value in document.items():
        if isinstance(value, dict):
            written |= {(f"[{name}]", key) for key in value}
        elif isinstance(value, list):
            written |= {(f"[[{name}]]", key) for table in value for key in table}
        else:
            written.add(("the top of the file", name))
    assert written == set(known_keys(Settings))


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
