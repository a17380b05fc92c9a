"""What docs/python.md and the README show of Python runs, against the local platform."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import uploader
from tests.python.conftest import Place, write

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scenes(tmp_path, monkeypatch) -> Path:
    """Two rasters and a text in a folder, another raster beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for seed, name in enumerate(("scenes/a.tif", "scenes/b.tif", "more/c.tif")):
        write(tmp_path / name, seed)
    (tmp_path / "scenes/notes.tif").write_text("no raster")
    return tmp_path


def test_the_document_tells_what_happens(scenes):
    """Each example of it, in order."""
    text = (ROOT / "docs/python.md").read_text()
    examples = doctest.DocTestParser().get_doctest(text, {}, "python.md", "docs/python.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(examples)
    assert runner.failures == 0
    assert runner.tries > 15


def test_the_lines_of_the_readme_run(scenes, place: Place, monkeypatch, capsys):
    """As they stand there, but for the address of the platform and the project."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    here = {"base_url": place.box.base_url, "project_id": place.box.project_id}
    monkeypatch.setenv("GEOPERA_API_KEY", place.box.api_key)
    pushed = uploader.push

    def push(*args: object, **keys: object) -> uploader.PushResult:
        return pushed(*args, **{**keys, **here})

    monkeypatch.setattr(uploader, "push", push)
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "notes.tif" in out
    assert out.count("it_") == 2
    assert 8 <= len(code.splitlines()) <= 12
