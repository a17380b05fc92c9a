"""Commands of the control socket that have rules of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from uploader.core.errors import UploaderError
from uploader.core.model import Fingerprint, Sighting
from uploader.daemon.control import answered
from uploader.daemon.requests import Follow, handlers
from uploader.daemon.trying import Trying
from uploader.journal import Journal

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Two rejected files, of which the first still lies in its folder."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "there.tif").write_text("no raster")
    made = Journal(tmp_path)
    names = (b"there.tif", b"gone.tif")
    looks = [
        Sighting(str(tmp_path / "drop"), name, Fingerprint(1, n, 10, 5, 6)) for n, name in enumerate(names)
    ]
    for number, look in zip(await made.files.discovered(looks), looks, strict=True):
        await made.files.claimed(number, look, f"content {number}", 10)
        await made.files.rejected(number, "It is no raster.")
    yield made
    made.close()


async def test_what_still_lies_there_is_not_forgotten(journal: Journal) -> None:
    """Whoever asks, the page or a command: a file that lies there would be taken in again as a new one."""
    let_go: list[int] = []
    nothing: Any = None
    trying = Trying(journal, tuple, lambda _: 0, lambda _: 0, lambda: None)
    follow = Follow(trying, let_go.append, lambda: "token")
    answer = await answered(
        handlers(journal, nothing, nothing, follow), {"command": "forget", "files": [1, 2, 99]}
    )

    assert answer == {"ok": True, "forgotten": 1, "refused": [(1, "it still lies there")]}
    assert let_go == [2]


async def test_a_request_that_fails_is_an_answer(journal: Journal) -> None:
    """In words where they are the program's own, without details where they are not."""

    async def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise UploaderError("No.", "Ask later.")

    async def break_down(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("secret")

    known = {"refuse": refuse, "break": break_down}
    assert await answered(known, {"command": "refuse"}) == {"ok": False, "error": "No. Ask later."}
    assert "secret" not in str(await answered(known, {"command": "break"}))
    assert (await answered(known, {"command": ["x"]}))["ok"] is False
