"""The probes of `uploader check` that look at this machine: folders, file systems, limits, disk, GDAL, journal."""

from __future__ import annotations

import os
import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.cli.check_finding import Finding, fail, ok, warn
from uploader.core.address_policy import is_loopback
from uploader.core.byte_sizes import format_size
from uploader.core.errors import UploaderError
from uploader.core.plurals import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.config import Folder, Settings
    from uploader.convert.engine.child_answers import ZygoteFacts
    from uploader.convert.isolation.verdict import Confinement

COUNTED = 200_000
"""Directories that are counted at most before the watch limit is called too small."""
GDAL_TIMEOUT = 60.0
"""Seconds to import GDAL on a slow disk."""


def all_findings(settings: Settings) -> Iterator[Finding]:
    """Run every probe of this machine."""
    yield from _places(settings)
    yield from _apart(settings)
    for folder in settings.folders:
        yield from _folder(folder)
    yield from _inotify(settings)
    yield from _converting()
    yield from _dashboard(settings.dashboard.listen)
    yield from _journal(settings)


_KEYS = {"state_dir": "state_dir", "staging": "[staging] dir"}


def _places(settings: Settings) -> Iterator[Finding]:
    """Judge the state directory and staging: writable, local, with room."""
    for name, path in (("state_dir", settings.state_dir), ("staging", settings.staging.path)):
        there = _nearest(path)
        if os.statvfs(there).f_flag & os.ST_RDONLY:
            way_out = f"Mount it so that it can be written to, or name another place as {_KEYS[name]}."
            yield fail(name, f"{there} is mounted read-only.", way_out)
        elif not os.access(there, os.W_OK | os.X_OK):
            way_out = (
                f'Give it to this user: chown "$(id -un)" {there}; or run the check as the daemon\'s user.'
            )
            yield fail(name, f"{there} cannot be written to by this user.", way_out)
        else:
            yield ok(name, f"{path} {'can be written to' if there == path else 'will be made'}.")
    free, least = shutil.disk_usage(_nearest(settings.staging.path)).free, settings.limits.min_free_bytes
    if free <= least:
        text = f"{format_size(free)} are free, and min_free_bytes keeps {format_size(least)}: nothing would start."
        yield fail("disk", text, "Make room, move [staging] dir, or lower min_free_bytes.")
    elif free < settings.staging.max_bytes:
        text = (
            f"{format_size(free)} are free for staging, less than [staging] max_bytes: the disk is the limit."
        )
        yield ok("disk", text)
    else:
        yield ok("disk", f"{format_size(free)} are free for staging.")


def _apart(settings: Settings) -> Iterator[Finding]:
    """Judge whether a drop folder shows what is not dropped into it, and whether all are this journal's."""
    from uploader.config.cross_checks import overlaps
    from uploader.folders.ownership import WAYS_OUT, strangers

    folders = dict(enumerate(settings.folders))
    for folder, mistake in overlaps(settings.state_dir, settings.staging.path, folders, mounted=True):
        yield fail(f"folder {folder.path}", mistake.text)
    paths = [folder.path for folder in settings.folders]
    for path, why in strangers(paths, settings.state_dir).items():
        yield fail(f"folder {path}", why, WAYS_OUT)


def _nearest(path: Path) -> Path:
    """Find the path itself, or the parent that exists already, as far as this user can see."""
    return next(place for place in (path, *path.parents) if _seen(place))


def _seen(path: Path) -> bool:
    """Tell whether it exists; False where that may not even be asked."""
    try:
        return path.exists()
    except OSError:
        return False


def _folder(folder: Folder) -> Iterator[Finding]:
    name = f"folder {folder.path}"
    if not _seen(folder.path) or not folder.path.is_dir():
        what = "it is no folder." if _seen(folder.path) else "it does not exist."
        yield fail(name, what, "Make it, or mount it; the daemon waits for it meanwhile.")
        return
    if not os.access(folder.path, os.R_OK | os.X_OK):
        yield fail(name, "it cannot be read by this user.", "Let the daemon's group read and enter it.")
        return
    try:
        yield _watching(name, folder)
        yield _taking(name, folder)
    except OSError as error:
        yield fail(name, f"its file system cannot be asked: {error.strerror}.", "Is the mount still alive?")
    yield from _disposing(name, folder)


def _watching(name: str, folder: Folder) -> Finding:
    from uploader.folders import blind

    kind = blind(str(folder.path))
    if folder.polling == "never" and kind:
        text = f"it is on {kind}, which tells no events of other machines, and polling is never."
        return warn(
            name, text, f"New files are found every {folder.rescan_seconds:g} s only; set polling to auto."
        )
    if folder.polling == "always" or kind:
        return ok(name, f"it is polled{f', as {kind} tells no events of other machines' if kind else ''}.")
    return ok(name, "it is watched by events, and read as a whole now and then.")


def _taking(name: str, folder: Folder) -> Finding:
    """Say how certainly a file that is still being written is left alone."""
    from uploader.folders import lease_doubt

    if folder.ready_marker:
        return ok(name, f"files are taken when their marker {folder.ready_marker} is there.")
    doubt = lease_doubt(str(folder.path))
    if doubt:
        text = f"{doubt}; for others {folder.settle_seconds:g} s of quiet decide alone."
        return warn(
            name, text, "Give the service CAP_LEASE, or use ready_marker, or lengthen settle_seconds."
        )
    return ok(name, "a file that somebody still writes to is told for certain.")


def _disposing(name: str, folder: Folder) -> Iterator[Finding]:
    from uploader.disposal import rights

    if folder.after_upload == "keep":
        return
    wrong = rights(str(folder.path), folder.after_upload, folder.archive_dir)
    for text in wrong:
        yield fail(
            name, text, f"after_upload is {folder.after_upload}; in a service, name it in ReadWritePaths=."
        )
    if not wrong:
        yield ok(name, f"sources can be {folder.after_upload}d after upload.")


def _inotify(settings: Settings) -> Iterator[Finding]:
    from uploader.folders import inotify_limits

    limits = inotify_limits()
    most, queue = limits.get("max_user_watches"), limits.get("max_queued_events")
    if most is None:
        yield warn(
            "inotify", "its limits cannot be read here.", "Nothing is lost: folders are read as a whole too."
        )
        return
    watched = [f for f in settings.folders if f.polling != "always" and _seen(f.path)]
    folders = sum(_directories(f) for f in watched)
    text = f"{count_of(folders, 'folder')} to watch, limit {most} per user, queue of {queue} events."
    if folders > most:
        yield warn(
            "inotify", text, f"Events will be missed: sysctl fs.inotify.max_user_watches={2 * folders}."
        )
    else:
        yield ok("inotify", text)


def _directories(folder: Folder) -> int:
    if not folder.recursive:
        return 1
    return 1 + sum(len(names) for _, names, _ in islice(os.walk(folder.path), COUNTED))


def _converting() -> Iterator[Finding]:
    """Start what converts, as the daemon does, and let it tell its libraries and how it is confined."""
    import anyio

    from uploader.convert.engine.zygote_client import Worker

    async def ask() -> ZygoteFacts:
        worker = await Worker.start()
        try:
            with anyio.fail_after(GDAL_TIMEOUT):
                return await worker.ready()
        finally:
            await worker.kill()

    try:
        host = anyio.run(ask)
    except (UploaderError, OSError):
        yield fail(
            "gdal", "it cannot be loaded.", "Install the program anew; its own wheel of rasterio brings GDAL."
        )
        return
    yield ok("gdal", f"GDAL {host.gdal} with rasterio {host.rasterio}.")
    yield _confinement(host.confinement)


def _confinement(found: Confinement) -> Finding:
    """Say which layer keeps a hostile raster from what; as this user, without the unit around it."""
    text = "; ".join(f"{what}: {layer}" for what, layer in found.layers().items())
    if found.reached:
        text += f". A converting process could {', '.join(found.reached)}"
    if missing := found.missing():
        return warn("confinement", f"{text}.", " ".join(missing))
    if found.reached:
        return warn("confinement", f"{text}.", "Tell us: every layer is there, and still this was possible.")
    return ok("confinement", f"{text}.")


def _dashboard(listen: str) -> Iterator[Finding]:
    host = listen.rpartition(":")[0].strip("[]")
    if listen and not is_loopback(host):
        text = f"it listens on {listen}, and can be read by whoever reaches it."
        yield warn(
            "dashboard", text, "Names and reasons are seen by whoever reaches it; a proxy with a login helps."
        )


def _journal(settings: Settings) -> Iterator[Finding]:
    from uploader.journal import FILE_NAME, Reader
    from uploader.journal.opening import examine

    try:
        if not (settings.state_dir / FILE_NAME).exists():
            yield ok("journal", "there is none yet.")
            return
        examine(settings.state_dir / FILE_NAME)
        with Reader(settings.state_dir) as reader:
            status = reader.status()
    except UploaderError as error:
        yield fail("journal", error.reason, error.way_out)
        return
    except OSError as error:
        yield fail("journal", f"it cannot be read: {error.strerror}.", "Run the check as the daemon's user.")
        return
    yield ok("journal", f"{status['pending']} pending, {status['completed']} completed.")
    for hold in status["holds"]:
        yield warn("hold", f"{hold['scope']}: {hold['reason']}", hold["way_out"])
    if leaked := status["possibly_leaked_bytes"]:
        text = f"up to {format_size(leaked)} of quota may be reserved by starts of sessions whose answer was lost."
        way_out = (
            "The platform keeps no list of sessions, so nobody here can tell or free them; if space is short, ask "
            "its support, or have an organization admin call usage.recalculate_storage."
        )
        yield warn("quota", text, way_out)
