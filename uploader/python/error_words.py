"""Which errors a person can do something about, and in which words."""

from __future__ import annotations

import errno
import os

from uploader.core.errors import UploaderError
from uploader.core.path_text import shown
from uploader.core.unexpected_errors import leaves

SPELLING, RIGHTS, ROOM = (
    "Check how the path is spelled.",
    "Check its rights, or run this as another user.",
    "Make room on that disk.",
)
WAYS_OUT = {
    errno.ENOENT: SPELLING,
    errno.ENOTDIR: SPELLING,
    errno.EISDIR: SPELLING,
    errno.ENAMETOOLONG: SPELLING,
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EROFS: "Name a place that can be written to.",
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EIO: "Look at the health of that disk or mount.",
}
"""What to do about a refusal of the system."""


def for_people(error: BaseException) -> UploaderError | None:
    """Find the error that was meant for people, also within the group that a task group makes of it.

    What the system refuses about a named file is one too. None for mistakes of the program.
    """
    found = list(leaves(error))
    if found and all(isinstance(leaf, UploaderError) for leaf in found):
        assert isinstance(found[0], UploaderError)
        return found[0]
    if found and all(isinstance(leaf, OSError) for leaf in found):
        assert isinstance(found[0], OSError)
        return _refused(found[0])
    return None


def _refused(error: OSError) -> UploaderError | None:
    """Word what the system said; without a file's name only where the number alone says what to do."""
    if error.errno == errno.ENOENT and not error.filename and _nowhere():
        return UploaderError("The folder that this is run in is gone.", "Change into one that is there.")
    if error.errno not in WAYS_OUT or not (error.filename or WAYS_OUT[error.errno] == ROOM):
        return None
    name = shown(error.filename) if isinstance(error.filename, bytes | str) else error.filename
    return UploaderError(
        f"{name}: {error.strerror}." if name else f"{error.strerror}.", WAYS_OUT[error.errno]
    )


def _nowhere() -> bool:
    """Whether the current folder was removed, so that no relative path means anything."""
    try:
        os.getcwd()  # noqa: PTH109 - the call that fails
    except OSError:
        return True
    return False
