"""Work in a thread of its own: who hears what it raised, and that nobody leaves before it has ended."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import anyio
import pytest

from uploader.core.errors import UploaderError
from uploader.python.own_thread import OwnThread, run_in_own_loop

pytestmark = pytest.mark.unit


class Work(OwnThread[str]):
    """Waits until it is asked to stop so often; a look may raise."""

    def __init__(self, stops: int, *, error: BaseException | None = None, at_look: bool = False) -> None:
        super().__init__("uploader test")
        self._wanted = stops
        self._raised = error
        self._at_look = at_look
        self.ended = False

    def work(self) -> str:
        """Wait, then answer or raise."""
        try:
            run_in_own_loop(lambda: self.asked(self._wanted))
            if self._raised is not None and not self._at_look:
                raise self._raised
            return "done"
        finally:
            self.ended = True

    def look(self) -> None:
        """Raise at each look, as Ctrl-C does."""
        if self._raised is not None and self._at_look:
            raise self._raised


def test_its_answer_is_returned():
    """In both forms."""
    assert Work(0).to_its_end() == "done"
    assert asyncio.run(Work(0).beside()) == "done"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (UploaderError("It is so.", "Do this."), UploaderError),
        (BaseExceptionGroup("", [UploaderError("It is so.", "Do this.")]), UploaderError),
        (OSError(28, "No space left on device", "/d"), UploaderError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
def test_what_it_raises_is_worded_where_a_person_can_do_something(error, raised):
    """A task group's wrapping is taken off; a mistake of the program stays what it is."""
    with pytest.raises(raised):
        Work(0, error=error).to_its_end()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_whoever_breaks_it_off_sees_it_end(error):
    """What is raised in the caller's thread comes out only after the work has ended."""
    work = Work(1, error=error, at_look=True)
    with pytest.raises(type(error)):
        work.to_its_end()
    assert work.ended


def pressed(work: Work, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Ctrl-C so often while the end is waited for."""
    wait, left = work._done.wait, [KeyboardInterrupt] * times

    def waited(timeout: float | None = None) -> bool:
        if timeout is None and left:
            raise left.pop()
        return wait(timeout)

    monkeypatch.setattr(work._done, "wait", waited)


def test_whoever_presses_again_is_heard_again(monkeypatch):
    """The second Ctrl-C comes while the first is being obeyed."""
    work = Work(2, error=KeyboardInterrupt(), at_look=True)
    pressed(work, monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        work.to_its_end()
    assert work.ended


def test_who_presses_a_third_time_gets_away(monkeypatch):
    """A thread that a dead disk holds cannot be ended; the caller is free all the same."""
    work = Work(4, error=KeyboardInterrupt(), at_look=True)
    pressed(work, monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        work.to_its_end()
    assert not work.ended
    work.stops = 4
    monkeypatch.undo()
    assert work._ended(10)


def test_a_signal_while_it_is_waited_for_does_not_leave_it_behind():
    """A real one: Python 3.11 forgets a thread whose `join` was interrupted."""

    def pressed() -> None:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    work, finger = Work(1), threading.Thread(target=pressed)
    finger.start()
    with pytest.raises(KeyboardInterrupt):
        work.to_its_end()
    assert work.ended
    finger.join()


def test_a_cancelled_caller_sees_it_end():
    """Its event loop has gone on meanwhile, or there would have been no end."""
    work = Work(1)

    async def cell() -> float:
        begun = time.monotonic()
        with anyio.move_on_after(0.3) as scope:
            await work.beside()
        assert scope.cancelled_caught
        return time.monotonic() - begun

    assert anyio.run(cell) < 10
    assert work.ended
