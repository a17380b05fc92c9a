"""What the tests of writing share: a place for a conversion in the process of the test itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.convert.isolation import confine
from uploader.convert.read import executors


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workshop for a conversion in this process, without its limits."""
    monkeypatch.setattr(confine, "limit", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    workshop = tmp_path / "workshop"
    workshop.mkdir()
    return workshop


@pytest.fixture(params=["small", "large"])
def either_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A raster of a test counts as small, and as large: then threads share its work, and sums stand for its pixels."""
    monkeypatch.setattr(executors, "_SMALL", 1 << 62 if request.param == "small" else 0)
