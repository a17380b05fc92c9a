"""What the tests of writing share: a place for a conversion in the process of the test itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.convert.isolation import confine


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workshop for a conversion in this process, without its limits."""
    monkeypatch.setattr(confine, "limit", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    workshop = tmp_path / "workshop"
    workshop.mkdir()
    return workshop
