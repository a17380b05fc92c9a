"""What the kernel tells of the thread that asks."""

from __future__ import annotations

import pytest

from uploader.system.own_status import own_status

pytestmark = pytest.mark.unit


def test_the_kernel_tells_of_the_thread_that_asks():
    """A mask of rights, and nothing of what it does not know."""
    assert int(own_status("CapEff"), 16) >= 0
    assert own_status("Nothing") == "0"
