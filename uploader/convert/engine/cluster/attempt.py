"""One try of one raster on the cluster, seen from the daemon: its folder, its signs of life, and its result.

Everything here blocks.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uploader import __version__
from uploader.convert.engine.cluster import attempt_folder
from uploader.convert.engine.cluster.answers import Done, WorkerUnfit
from uploader.convert.engine.cluster.attempt_folder import BEGUN, RESULT, TOKEN
from uploader.convert.job import Job
from uploader.convert.write import publish
from uploader.core.errors import NoSpace
from uploader.core.workshops import WORKSHOP
from uploader.system import files as fs
from uploader.system.removal import remove_tree

_BEGUN_BYTES = 512


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try with an id of its own: whoever works on another one, or on an earlier one, never meets it."""

    name: str
    job: Job
    token: str

    @classmethod
    def begin(cls, job: Job) -> Attempt:
        """Make its folder. Raises NoSpace where that cannot be, StagedDamaged where it is removed at once."""
        attempt = cls(secrets.token_hex(8), job, secrets.token_hex(16))
        try:
            attempt.folder.mkdir(mode=0o700)
            attempt_folder.written(attempt.folder / TOKEN, attempt.token.encode())
        except FileNotFoundError as error:
            raise publish.removed(job) from error
        except OSError as error:
            raise NoSpace(
                f"{job.target.parent} cannot be written to: {fs.words(error)}.",
                "Free some space there, or check its rights.",
            ) from error
        return attempt

    @property
    def folder(self) -> Path:
        """The folder, which a sweep of staging knows by its suffix."""
        return self.job.target.parent / f".{self.name}{WORKSHOP}"

    def request(self) -> dict[str, Any]:
        """What a worker is asked, as plain JSON types."""
        job = replace(self.job, target=self.folder / RESULT)
        return {
            "folder": str(self.folder),
            "token": self.token,
            "version": __version__,
            "job": job.to_json(),
        }

    def is_there(self) -> bool:
        """Whether nobody has removed its folder."""
        return self.folder.is_dir()

    def sign(self) -> tuple[int, str] | None:
        """What changes with each sign of life of the worker that has begun, and its address; None where none has.

        The folder is listed: who asks a shared file system for a name that is not there is told so for a while.
        """
        try:
            if BEGUN not in os.listdir(self.folder):  # noqa: PTH208 - names are what is asked for
                return None
            handle = os.open(self.folder / BEGUN, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return os.fstat(handle).st_mtime_ns, attempt_folder.begun_by(os.read(handle, _BEGUN_BYTES))
        finally:
            os.close(handle)

    def came_back(self) -> bool:
        """Whether what the worker wrote here is read here. Raises OSError."""
        return attempt_folder.token_of(attempt_folder.read(self.folder / BEGUN)) == self.token.encode()

    def take(self, done: Done) -> None:
        """Move the result to the target, if it is what the worker says it is; an earlier result is replaced.

        Raises WorkerUnfit where it is not, StagedDamaged where the folder was removed.
        """
        result = self.folder / RESULT
        try:
            self._require(result, done)
            picture = publish.preview_of(result)
            if picture.is_file() and not picture.is_symlink():
                picture.rename(publish.preview_of(self.job.target))
            result.rename(self.job.target)
        except OSError as error:
            if not self.is_there():
                raise publish.removed(self.job) from error
            text = f"What it says it wrote to {self.folder.parent} cannot be read here: {fs.words(error)}."
            raise WorkerUnfit(done.worker, text) from error
        fs.sync_directory(self.job.target.parent)

    def _require(self, result: Path, done: Done) -> None:
        """Raises WorkerUnfit where the token did not come back, or the result has another size or hash."""
        if not self.came_back():
            raise WorkerUnfit(done.worker, f"What it wrote to {self.folder.parent} is not what is read here.")
        handle = os.open(result, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size != done.size or found.st_size == 0:
                text = f"Its result has {found.st_size:,} bytes here, and {done.size:,} as it says."
                raise WorkerUnfit(done.worker, text)
            if hashlib.file_digest(file, "sha256").hexdigest() != done.sha256:
                raise WorkerUnfit(done.worker, "Its result has another hash here than it says.")

    def end(self) -> bool:
        """Remove the folder with whatever somebody wrote to it; False where a late worker is still quicker."""
        return remove_tree(self.folder)
