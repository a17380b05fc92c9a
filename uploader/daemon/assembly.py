"""How a daemon is put together: locks first, then the journal, then the doors; given back in reverse order."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from uploader.activity import Activity
from uploader.config import Settings
from uploader.convert import ArchiveOpener, ConversionEngine
from uploader.core.errors import JournalError
from uploader.core.model import target_of
from uploader.core.platform_traits import LiveProfile
from uploader.core.upload_advice import Asker
from uploader.daemon import live_profile
from uploader.daemon.conversion_engine import engine, opener
from uploader.daemon.late_folders import LateFolders
from uploader.daemon.line import Line
from uploader.daemon.platform_connection import connect
from uploader.effects.context import Tools
from uploader.effects.name_lookup import uploaded
from uploader.folders.intake import FolderBounds, Intake, Territory
from uploader.folders.ownership import WAYS_OUT, Owner, give, strangers
from uploader.journal import Journal
from uploader.journal.ended_sums import stored_since
from uploader.journal.maintenance import Upkeep
from uploader.journal.queries import staged_ids
from uploader.journal.receipt_rows import contents
from uploader.journal.rows import clock
from uploader.net.rate_limit import Bandwidth
from uploader.platform.api import ObjectStore, Platform
from uploader.report import systemd_notify
from uploader.staging import Staging
from uploader.system.days import midnight
from uploader.system.files import words
from uploader.system.locks import FolderLocks, hold_locks
from uploader.thumbnails import Thumbnails

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a daemon works with."""

    tools: Tools
    intake: Intake
    line: Line
    upkeep: Upkeep
    locks: FolderLocks
    territory: Territory | None
    """None where folders may lie as they like."""
    late_folders: LateFolders | None
    """None where nobody would start the daemon again."""
    hold_revision: int
    """How often the list of holds had changed when the process before ended."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What leads out of the process: to staging, to the children that convert, to the platform and its store."""

    staging: Staging
    converter: ConversionEngine
    opener: ArchiveOpener
    platform: Platform
    store: ObjectStore
    bandwidth: Bandwidth


@asynccontextmanager
async def assembled(
    settings: Settings, activity: Activity, *, bound: bool, new_journal: bool, environ: Mapping[str, str]
) -> AsyncIterator[Parts]:
    """Take the locks, open the journal and the doors; all are given back in reverse order.

    `bound`: the drop folders bear the mark of this journal, and must not touch what is the daemon's own. `new_journal`:
    a person gives them to it, whoever had them before. `environ` may hold the key of the platform.
    """
    profile = live_profile.load(settings)
    live_profile.tell(profile)
    settings = live_profile.fitted(settings, profile.traits)
    folders = [folder.path for folder in settings.folders]
    territory = Territory(settings.state_dir, settings.staging.path, settings.folders)
    if bound:
        territory.require()
    async with AsyncExitStack() as stack:
        locks = stack.enter_context(hold_locks(settings.state_dir, folders))
        if bound and not new_journal:
            require_own(settings.state_dir, folders)
        journal = stack.enter_context(_journal(settings))
        journal.subscriptions.add("progress", lambda _: activity.committed())
        owner = Owner(journal.identity, str(settings.state_dir))
        if new_journal:
            await journal.holds.reconciled()
            give(folders, owner)
        make_archives(settings)
        doors = await _doors(stack, settings, journal, environ)
        if bound:
            territory.look()  # once more, as archive and staging are there by now
        bounds = FolderBounds(territory, owner) if bound else None
        lookup = partial(uploaded, doors.platform)
        intake = Intake(journal, settings.folders, locks, bounds=bounds, lookup=lookup)
        asker = Asker.FOLDER if bound else Asker.COMMAND
        yield Parts(
            await _tools(settings, journal, doors, intake, profile=profile, activity=activity, asker=asker),
            intake,
            await _line(journal, doors.bandwidth),
            Upkeep(journal, settings.state_dir, settings.limits.min_free_bytes),
            locks,
            territory if bound else None,
            LateFolders(_written(settings)) if systemd_notify.supervised() else None,
            await _begin_holds(settings, journal),
        )


@contextmanager
def _journal(settings: Settings) -> Iterator[Journal]:
    """The journal of the state directory, until the end of the block."""
    with systemd_notify.more_time():  # one of an earlier version, with a million files, takes minutes
        journal = Journal(settings.state_dir)
    try:
        yield journal
    finally:
        journal.close()


async def _doors(
    stack: AsyncExitStack, settings: Settings, journal: Journal, environ: Mapping[str, str]
) -> Doors:
    """Open all of them; the stack closes them."""
    staging = await _staging(settings, journal)
    converter = await stack.enter_async_context(engine(settings))
    opens = await stack.enter_async_context(opener(settings, converter))
    bandwidth = Bandwidth(None)
    platform, store = await stack.enter_async_context(connect(settings.platform, bandwidth, environ))
    return Doors(staging, converter, opens, platform, store, bandwidth)


async def _tools(
    settings: Settings,
    journal: Journal,
    doors: Doors,
    intake: Intake,
    *,
    profile: LiveProfile,
    activity: Activity,
    asker: Asker,
) -> Tools:
    """What effects work with. Two of them follow what is committed."""
    tools = Tools(
        journal=journal,
        platform=doors.platform,
        store=doors.store,
        converter=doors.converter,
        opener=doors.opener,
        staging=doors.staging,
        thumbnails=await _thumbnails(settings.state_dir, journal),
        intake=intake,
        activity=activity,
        settings=settings,
        profile=profile,
        destinations=settings.destinations(),
        archive_dirs=settings.archive_dirs(),
        asker=asker,
        began=clock(),
    )
    journal.subscriptions.add("damaged copies", tools.damaged_copies.committed)
    journal.subscriptions.add("staging refusals", tools.staging_refusals.committed)
    return tools


async def _line(journal: Journal, bandwidth: Bandwidth) -> Line:
    """The line to the store, with what it has carried today."""
    stored = await journal.read(lambda db: stored_since(db, midnight(clock())))
    return Line(bandwidth, stored, clock())


async def _staging(settings: Settings, journal: Journal) -> Staging:
    """Where the private copies lie, without those that no file refers to."""
    staging = Staging(settings.staging.path, settings.limits.min_free_bytes)
    swept = staging.sweep(await journal.read(staged_ids))
    if swept:
        log.info("swept %d private copies that no file refers to", swept)
    return staging


async def _begin_holds(settings: Settings, journal: Journal) -> int:
    """Let go of the holds that end with the process before; returns how often the list had changed by then."""
    revision = await journal.hold_revision()
    await journal.holds.shown([], revision)
    await journal.holds.set_back()
    await journal.holds.restarted([target_of(each) for each in settings.folders])
    return revision


def require_own(state_dir: Path, folders: Sequence[Path]) -> None:
    """Raises JournalError where a drop folder bears the mark of another journal than lies, or would be made, here.

    Also where it has seen more of this one than is in it.
    """
    for why in strangers(folders, state_dir).values():
        raise JournalError(why, WAYS_OUT)


async def _thumbnails(state_dir: Path, journal: Journal) -> Thumbnails:
    """The pictures that an earlier process left, without those of files that nobody knows any more."""
    found = Thumbnails(state_dir)
    try:
        swept = await journal.read(lambda db: found.sweep(partial(contents, db)))
    except OSError as error:
        log.warning("thumbnails: %s cannot be read: %s", state_dir, words(error))
    else:
        log.debug("thumbnails: swept %d that no file refers to", swept)
    return found


def make_archives(settings: Settings) -> None:
    """Make each archive folder whose parent exists; what is missing beyond that is told when it is needed."""
    for folder in settings.folders:
        if folder.after_upload == "archive" and folder.archive_dir is not None:
            with suppress(OSError):
                folder.archive_dir.mkdir(exist_ok=True)


def _written(settings: Settings) -> Iterator[Path]:
    """The folders in which sources are moved or deleted, and those that take them."""
    for folder in settings.folders:
        if folder.after_upload != "keep":
            yield folder.path
        if folder.after_upload == "archive" and folder.archive_dir is not None:
            yield folder.archive_dir
