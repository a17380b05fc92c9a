"""Read leases need a signal to be ignored, which is the main thread's to decide."""

from __future__ import annotations

import signal
import threading

import pytest

from uploader.system.leases import prepare_leases

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _signal():
    before = signal.getsignal(signal.SIGIO)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGIO, before)


def test_the_main_thread_has_the_signal_ignored():
    """So the kernel's word that somebody opens a file does not end the process."""
    prepare_leases()
    assert signal.getsignal(signal.SIGIO) is signal.SIG_IGN


def test_any_other_thread_leaves_the_signals_alone():
    """There the program is called by another one, and Python would refuse."""
    raised: list[BaseException] = []

    def guest() -> None:
        try:
            prepare_leases()
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=guest)
    thread.start()
    thread.join()
    assert raised == []
    assert signal.getsignal(signal.SIGIO) is signal.SIG_DFL
