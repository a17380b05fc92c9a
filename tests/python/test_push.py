"""`uploader.push` against the local platform: its results, its errors, and where it may be called."""

from __future__ import annotations

import asyncio
import inspect
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import uploader
from uploader.config import Settings
from uploader.core.upload_advice import ADVICE, Asker
from uploader.python.push_job import alone

pytestmark = pytest.mark.e2e


def test_the_defaults_are_those_of_the_configuration():
    """The signature says them for people; both forms have the same."""
    one, other = inspect.signature(uploader.push), inspect.signature(uploader.push_async)
    assert one.parameters == other.parameters
    assert one.parameters["base_url"].default == Settings().platform.base_url


def test_a_plain_script_pushes(place):
    """The key comes from the environment; the result has each item, and no warning is printed besides."""
    place.draw(2)
    (place.rasters / "notes.tif").write_text("no raster")
    script = "result = uploader.push(paths, **target)\nprint([item.object_name for item in result.items])"
    out, err = place.start(script).communicate(timeout=120)
    assert err == ""
    assert out.count(".tif") == 2
    assert place.box.state()["items"] == 2


def test_what_cannot_be_a_raster_is_a_row(place):
    """The others go; the row names the path, the reason and what to do."""
    good, bad = place.draw(2)
    bad.write_text("no raster")
    result = uploader.push([good, str(bad)], **place.target)
    (item,), (row,) = result.items, result.rejected
    assert (item.path, row.path) == (str(good), str(bad))
    assert item.item_id
    assert item.object_name.startswith("0-")
    assert "not a TIFF" in row.reason
    assert ADVICE[Asker.COMMAND] in row.reason
    assert "push it again" in row.way_out

    bad.write_bytes(good.read_bytes())
    again = uploader.push(place.rasters, **place.target)
    assert [again.rejected, len(again.items)] == [(), 2]
    assert item in again.items


def test_warnings_of_a_raster_travel_with_its_item(place):
    """Here that it has no reference system: the code is for programs."""
    (path,) = place.draw(1)
    place.strip_crs(path)
    (item,) = uploader.push(path, **place.target).items
    assert "crs_missing" in {warning.code for warning in item.warnings}


@pytest.mark.parametrize(
    ("said", "reason", "way_out"),
    [
        ({"api_key": "nobodys"}, "does not accept the API key", "Ask an administrator"),
        ({"api_key": "two words"}, "white space", "alone"),
        ({"project_id": "nobodys"}, "refuses uploads there", "project_id"),
        ({"project_id": " "}, "project_id is empty", "Name the project"),
        ({"base_url": "http://example.com"}, "base_url would send the key unencrypted", "address"),
    ],
)
def test_what_holds_everything_back_is_raised(place, said, reason, way_out):
    """An error with a reason and a way out, and without the key."""
    place.draw(1)
    with pytest.raises(uploader.UploaderError) as raised:
        uploader.push(place.rasters, **{**place.target, **said})
    assert reason in raised.value.reason
    assert way_out in raised.value.way_out
    assert place.box.api_key not in str(raised.value)
    assert place.box.state()["items"] == 0


def test_what_was_done_before_a_hold_is_told_with_it(place):
    """The key is refused at the second file; the error has the result so far, and the repeat goes on."""
    small, large = place.draw(2)
    uploader.push(small, **place.target)
    with pytest.raises(uploader.PushHeld) as raised:
        uploader.push([small, large], **{**place.target, "api_key": "revoked"})
    assert [item.path for item in raised.value.result.items] == [str(small)]
    place.require_one_item_each(uploader.push([small, large], **place.target), 2)


def test_a_missing_key_or_path_is_told_before_anything_is_done(place):
    """Not after an hour of conversions."""
    place.draw(1)
    with pytest.raises(uploader.UploaderError, match="There is no API key"):
        uploader.push(place.rasters, **{**place.target, "api_key": None})
    with pytest.raises(uploader.UploaderError, match=r"missing\.tif does not exist"):
        uploader.push(place.root / "missing.tif", **place.target)
    with pytest.raises(uploader.UploaderError, match="No path"):
        uploader.push([], **place.target)
    assert not place.target["state_dir"].exists()


def test_no_signal_handler_is_installed(place):
    """Neither during a push nor after it, in the main thread."""
    place.draw(1)
    before, during = _handlers(), []
    uploader.push(place.rasters, **place.target, on_progress=lambda _: during.append(_handlers()))
    assert {tuple(one.items()) for one in (before, *during, _handlers())} == {tuple(before.items())}
    assert len(during) > 1


def test_the_service_manager_of_the_program_hears_nothing(place, monkeypatch):
    """Whether a service that pushes now and then is ready, or stopping, is not ours to say."""
    place.draw(1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place.root / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(place.root / "notify"))
        uploader.push(place.rasters, **place.target)
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(1000)


def _handlers() -> dict[int, object]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def test_it_works_in_other_threads(place):
    """Two at once to two projects' worth of state, neither in the main thread."""
    one, other = place.draw(2)
    (place.root / "apart").mkdir()
    other = other.rename(place.root / "apart" / other.name)
    states = (place.root / "s1", place.root / "s2")
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(uploader.push, path, **{**place.target, "state_dir": state})
            for path, state in zip((one, other), states, strict=True)
        ]
        items = [job.result().items[0].path for job in jobs]
    assert items == [str(one), str(other)]
    assert place.box.state()["items"] == 2


def test_it_works_where_an_event_loop_runs(place):
    """As in a cell of a notebook, whose loop runs already: plain, and awaited while the loop goes on."""
    one, other = place.draw(2)
    ticks = 0

    async def cell() -> tuple[uploader.PushResult, uploader.PushResult]:
        def told(_: uploader.Progress) -> None:
            assert threading.current_thread() is threading.main_thread()

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        plain = uploader.push(one, **place.target)
        ticking = asyncio.create_task(tick())
        awaited = await uploader.push_async(other, **place.target, on_progress=told)
        ticking.cancel()
        return plain, awaited

    plain, awaited = asyncio.run(cell())
    assert [plain.items[0].path, awaited.items[0].path] == [str(one), str(other)]
    assert ticks > 10


def test_a_second_push_to_the_same_state_is_refused(place):
    """While the first runs; it says what to do, and the first is not disturbed."""
    paths = place.draw(2)
    refused: list[uploader.UploaderError] = []

    def second(_: uploader.Progress) -> None:
        if not refused:
            with pytest.raises(uploader.UploaderError) as raised:
                uploader.push(paths, **place.target)
            refused.append(raised.value)

    place.require_one_item_each(uploader.push(paths, **place.target, on_progress=second), 2)
    assert "Another push to this project is under way" in refused[0].reason
    assert "state_dir" in refused[0].way_out


def test_two_projects_do_not_share_what_was_done(place):
    """What is an item of one is none of the other, with the same state directory."""
    (path,) = place.draw(1)
    uploader.push(path, **place.target)
    with pytest.raises(uploader.UploaderError, match="refuses uploads there"):
        uploader.push(path, **{**place.target, "project_id": "nobodys"})


def test_progress_is_told_until_all_is_done(place):
    """Never more than all, and at the end all of it."""
    paths = place.draw(3, size=1200)  # so that a conversion takes longer than a look waits
    told: list[uploader.Progress] = []
    result = uploader.push(place.rasters, **place.target, on_progress=told.append)
    assert [item.path for item in result.items] == sorted(map(str, paths))
    assert all(one.files_done <= one.files_total and one.bytes_done <= one.bytes_total for one in told)
    size = sum(path.stat().st_size for path in paths)
    assert told[-1] == uploader.Progress(3, 3, size, size)
    assert {"convert"} <= {file.step for one in told for file in one.running}


def test_a_push_to_a_path_object_or_text_is_the_same(place):
    """One path needs no list; a repeat does nothing."""
    (path,) = place.draw(1)
    first, second = uploader.push(str(path), **place.target), uploader.push(Path(path), **place.target)
    assert first == second
    assert place.box.state()["items"] == 1


def test_a_push_that_can_remember_nothing_says_where(tmp_path: Path) -> None:
    """As with a home that is not there; the place of its memory is named, and how to name another."""
    (tmp_path / "file").touch()

    state = tmp_path / "file/state"
    with (
        pytest.raises(uploader.UploaderError, match=r"file/state: not a directory") as refused,
        alone(state, str),
    ):
        pass

    assert "$XDG_STATE_HOME" in refused.value.way_out
