"""What is said of a source that cannot be put away."""

from __future__ import annotations

import errno

import pytest

from uploader.core.errors import LocalError
from uploader.effects.ended_files import told

pytestmark = pytest.mark.unit


def test_a_source_that_stays_comes_with_a_way_out() -> None:
    """Whatever the system says, such as of an immutable file; the program's own errors bring theirs along."""
    general = "Mend rights, room or mount of the folder or the archive; the items are there."
    assert told(OSError(errno.EPERM, "x"))[1] == general
    assert "ReadWritePaths=" in told(OSError(errno.EROFS, "x"))[1]
    assert told(LocalError("There is no archive.")) == ("There is no archive.", general)
    assert told(LocalError("There is no archive.", "Name one.")) == ("There is no archive.", "Name one.")
