"""A notebook that is run headless, by a real kernel: whose event loop runs already, and which is killed half-way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import uploader
from tests.python.conftest import Place

pytestmark = pytest.mark.e2e

nbformat = pytest.importorskip("nbformat", reason="nbclient and ipykernel are not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient and ipykernel are not installed")
pytest.importorskip("ipykernel", reason="nbclient and ipykernel are not installed")

FILES = 6
KILL = """
import os, signal
def told(progress):
    if progress.files_done or progress.bytes_done:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def notebook(place: Place, monkeypatch):
    """Run cells in a kernel of their own; gives what the last one showed."""
    home = str(Path(uploader.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([home, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("GEOPERA_API_KEY", place.box.api_key)
    target = {**place.target, "state_dir": str(place.target["state_dir"])}
    target.pop("api_key")
    begin = f"import uploader\npaths = {str(place.rasters)!r}\ntarget = {target!r}"

    def run(*cells: str) -> str:
        book: Any = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_code_cell(cell) for cell in (begin, *cells)]
        nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
        return "".join(output.get("text", "") for output in book.cells[-1].outputs)

    return run


def test_a_cell_pushes_and_the_next_one_awaits(notebook, place):
    """Both forms in one kernel; its signals are as they were, and nothing is shown besides."""
    place.draw(2)
    said = notebook(
        "import signal\nbefore = {n: signal.getsignal(n) for n in signal.valid_signals()}",
        "plain = uploader.push(paths, **target)",
        "awaited = await uploader.push_async(paths, **target)",
        "assert before == {n: signal.getsignal(n) for n in signal.valid_signals()}",
        "print(len(plain.items), plain == awaited)",
    )
    assert said == "2 True\n"
    assert place.box.state()["items"] == 2


@pytest.mark.parametrize("cell", ["uploader.push({})", "await uploader.push_async({})"])
def test_a_killed_kernel_goes_on(notebook, place, cell):
    """SIGKILL in the middle of a cell; the same cell in a new kernel makes each raster exactly one item."""
    place.draw(FILES, size=300)
    with pytest.raises(nbclient.exceptions.DeadKernelError):
        notebook(KILL, cell.format("paths, **target, on_progress=told"))
    assert place.box.state()["items"] < FILES
    said = notebook(f"print(len(({cell.format('paths, **target')}).items))")
    assert said == f"{FILES}\n"
    place.require_one_item_each(uploader.push(place.rasters, **place.target), FILES)
