"""Whether something lies at a path of which a person says that nothing ever will again. Blocking."""

from __future__ import annotations

import os

from uploader.core.naming import hidden
from uploader.system import files as fs


def still_there(path: bytes) -> str:
    """Why a file cannot be given up, in words; empty where nothing lies at this absolute path.

    A disposal may just have hidden it. A disk that fails tells nothing of what lies on it.
    """
    folder, _, name = path.rpartition(b"/")
    for place, what in (
        (path, "it still lies there"),
        (folder + b"/" + hidden(name), "it is being put away"),
    ):
        try:
            os.lstat(place)
        except OSError as error:
            if error.errno not in fs.ABSENT:
                return f"nobody can tell whether it lies there ({fs.words(error)}); unmount its disk first"
        else:
            return what
    return ""
