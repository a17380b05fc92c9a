"""The causes of holds: how far each reaches, what it says, its way out, and when it is an alarm or makes unwell.

`docs/operations.md` shows this table; a hold has a cause of it, in one of the cause's scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from uploader.core.model import HoldCause, Scope

AT_ONCE = 0.0
A_DAY = 86400.0
WHEN_STALLED = None
"""After `[notify] stalled_after`: it often ends by itself."""


class Unwell(StrEnum):
    """When a hold makes the daemon unwell."""

    NEVER = "never"
    """A restart of the daemon would mend nothing."""
    AT_ONCE = "at once"
    WHEN_IT_LASTS = "when it lasts"
    """As long as `[notify] stalled_after`."""


@dataclass(frozen=True, slots=True)
class CauseFacts:
    """What is true of every hold of a cause."""

    scopes: tuple[Scope, ...]
    happened: str
    """What has happened, in words for an operator."""
    way_out: str
    """What to do, in general; a hold's own words may know more."""
    alarm_after: float | None
    """The age in seconds at which a hold becomes an alarm, or `WHEN_STALLED`."""
    unwell: Unwell = Unwell.NEVER
    """When `/healthz` is 503 for it."""
    tried: bool = True
    """Whether trying again, when a person asks for it, can end it."""


CAUSES: Mapping[HoldCause, CauseFacts] = {
    HoldCause.KEY_REFUSED: CauseFacts(
        (Scope.PLATFORM,),
        "The API key, or a fresh token, is refused, or there is no key.",
        "Put a new key into its file. A service is started anew by that; any other daemon sees it within a minute.",
        AT_ONCE,
    ),
    HoldCause.KEY_SCOPE_MISSING: CauseFacts(
        (Scope.PLATFORM,),
        "The key lacks a scope.",
        "Give it `uploads:write` and `items:read`, or put a key with both into its file.",
        AT_ONCE,
    ),
    HoldCause.PLATFORM_UNREACHABLE: CauseFacts(
        (Scope.PLATFORM,),
        "Calls have failed for half a minute, and none succeeded.",
        "Wait, or look at the network: `uploader check` says what fails. It is tried every minute at the latest.",
        WHEN_STALLED,
    ),
    HoldCause.STORE_UNREACHABLE: CauseFacts(
        (Scope.PLATFORM,),
        "Calls succeed, but for half a minute no file could be stored.",
        "Wait, or see whether a proxy or a firewall keeps this host from the object store.",
        WHEN_STALLED,
    ),
    HoldCause.QUOTA: CauseFacts(
        (Scope.ORGANIZATION,),
        "The storage quota does not suffice, and nothing smaller has passed since.",
        "Free space on the platform, or enlarge the plan; it is tried every minute.",
        AT_ONCE,
    ),
    HoldCause.TARGET_REFUSED: CauseFacts(
        (Scope.TARGET,),
        "The platform refuses the project, collection or item.",
        "Mend the id in the configuration, or the role of the key's owner; it is tried every five minutes.",
        AT_ONCE,
    ),
    HoldCause.SESSIONS_LOST: CauseFacts(
        (Scope.TARGET,),
        "The platform has lost two sessions in a row.",
        "Ask the platform's support; it is tried every five minutes.",
        AT_ONCE,
    ),
    HoldCause.LAYOUT_UNKNOWN: CauseFacts(
        (Scope.TARGET,),
        "The platform made one item of two files, so that larger sessions would merge rasters.",
        "Compare the items on the platform, and set `[batch] max_files = 1`.",
        AT_ONCE,
        tried=False,
    ),
    HoldCause.FOLDER_MISSING: CauseFacts(
        (Scope.FOLDER,),
        "The folder is missing, cannot be read, or its files vanished together.",
        "Mount or create it. If it was emptied on purpose, the next file ends the hold.",
        WHEN_STALLED,
    ),
    HoldCause.FOLDER_MUTE: CauseFacts(
        (Scope.FOLDER,),
        "The folder does not answer.",
        "Look after the server or disk that it lies on.",
        WHEN_STALLED,
    ),
    HoldCause.FOLDER_TAKEN: CauseFacts(
        (Scope.FOLDER,),
        "Another daemon watches it.",
        "Stop that one, or give this one a folder of its own.",
        WHEN_STALLED,
    ),
    HoldCause.FOLDER_OVERLAP: CauseFacts(
        (Scope.FOLDER,),
        "It shows an archive, staging, a state directory or another drop folder.",
        "Take away the mount or copy that the reason names. Where it is no archive any more, remove the file "
        "`.uploader-private` in it.",
        AT_ONCE,
    ),
    HoldCause.FOLDER_FOREIGN: CauseFacts(
        (Scope.FOLDER,),
        "It, or files in it, belong to another journal.",
        "Mount the other state directory's disk; if that is lost, `uploader check --repair-journal`.",
        AT_ONCE,
    ),
    HoldCause.FOLDER_UNREADABLE: CauseFacts(
        (Scope.FOLDER,),
        "Some of its files or entries cannot be read.",
        "Mend owner, rights or the disk; they are looked at with every scan.",
        WHEN_STALLED,
    ),
    HoldCause.FOLDER_PARTLY_MISSING: CauseFacts(
        (Scope.FOLDER,),
        "Files that wait lay on a file system that is no longer mounted.",
        "Mount it again, or give the files up by `uploader forget`.",
        WHEN_STALLED,
    ),
    HoldCause.FOLDER_UNCONFIGURED: CauseFacts(
        (Scope.FOLDER,),
        "It left the configuration, but files from it wait.",
        "Put it back until they are done, or give them up by `uploader forget`.",
        WHEN_STALLED,
        tried=False,
    ),
    HoldCause.STAGING_FULL: CauseFacts(
        (Scope.STAGING,),
        "A file finds no room, and nothing that goes on will make it.",
        "Make room, or change `[staging] max_bytes` or `[limits] min_free_bytes`.",
        WHEN_STALLED,
    ),
    HoldCause.STAGING_UNUSABLE: CauseFacts(
        (Scope.STAGING,),
        "The staging folder hangs, is gone, or refuses everything.",
        "Where it is full, make room or raise the quota; else mount its disk again, or look after it. If the folder "
        "was removed, restart the daemon.",
        WHEN_STALLED,
    ),
    HoldCause.JOURNAL_SLOW: CauseFacts(
        (Scope.JOURNAL,),
        "The journal cannot be written or read.",
        "Make room on its disk, mend the disk, or end the program that keeps the file locked.",
        WHEN_STALLED,
        unwell=Unwell.WHEN_IT_LASTS,
        tried=False,
    ),
    HoldCause.MACHINE_SHORT: CauseFacts(
        (Scope.MACHINE,),
        "There is no process, thread or memory to be had.",
        "End other programs, or raise the limit that the reason names.",
        WHEN_STALLED,
    ),
    HoldCause.CONVERTER_BROKEN: CauseFacts(
        (Scope.MACHINE,),
        "The converter does not start.",
        "`uploader check` tries it and says why; one conversion is tried every 30 seconds.",
        WHEN_STALLED,
    ),
    HoldCause.CLUSTER_UNAVAILABLE: CauseFacts(
        (Scope.MACHINE,),
        "The cluster that converts has no scheduler, no workers, or none that is fit.",
        "Start what the reason names, or mend it; one conversion is tried every 30 seconds.",
        WHEN_STALLED,
    ),
    HoldCause.STALLED: CauseFacts(
        (Scope.STAGE,),
        "The stage that is named has shown no sign of life for `[notify] stalled_after`.",
        "Look after the disk, mount or server that it works on; where that is well, restart the daemon.",
        AT_ONCE,
        unwell=Unwell.AT_ONCE,
        tried=False,
    ),
    HoldCause.SCENE_ITEM_GONE: CauseFacts(
        (Scope.TARGET,),
        "The item that a scene's files are to join was deleted on the platform.",
        "Restore it there, and they follow within five minutes; or have the scene sent anew by `uploader retry` of one "
        "of them; or give them up by `uploader forget`.",
        AT_ONCE,
    ),
    HoldCause.SCENE_PRIMARY_REJECTED: CauseFacts(
        (Scope.SCENE,),
        "The raster that makes a scene's item was rejected, and the others wait for it.",
        "Drop a good one in its place, or `uploader retry` it; or give the others up by `uploader forget`.",
        AT_ONCE,
    ),
    HoldCause.SCENE_PRIMARY_MISSING: CauseFacts(
        (Scope.SCENE,),
        "The raster that makes a scene's item has not come within `complete_wait`.",
        "Drop it, or give the others up by `uploader forget`.",
        AT_ONCE,
    ),
    HoldCause.SCENE_COLLECTION: CauseFacts(
        (Scope.SCENE,),
        "The collection of a scene cannot be found by its name.",
        "Make it on the platform, or set `create_collections = true`; it is looked for every minute.",
        AT_ONCE,
    ),
    HoldCause.SESSION_UNCLEAR: CauseFacts(
        (Scope.SESSION,),
        "`complete` was sent, and nobody knows what came of it.",
        "Look on the platform for the items. `uploader retry --all` searches again; `uploader retry FILE` says that "
        "they are not there, and uploads the file again.",
        AT_ONCE,
    ),
    HoldCause.SESSION_FAILING: CauseFacts(
        (Scope.SESSION,),
        "Calls of others succeed, but not this session's.",
        "Wait; where it lasts, report the reason to the platform's support.",
        WHEN_STALLED,
    ),
    HoldCause.FILE_EXCEEDS_QUOTA: CauseFacts(
        (Scope.FILE,),
        "It alone needs more than the quota has, and smaller ones pass.",
        "Free space on the platform, or enlarge the plan.",
        AT_ONCE,
    ),
    HoldCause.FILE_EXCEEDS_MEMORY: CauseFacts(
        (Scope.FILE,),
        "Its conversion needs more memory than the host gives.",
        "Raise the limit that the reason names, or lower `[convert] memory_limit`.",
        WHEN_STALLED,
    ),
    HoldCause.FILE_EXCEEDS_STAGING: CauseFacts(
        (Scope.FILE,),
        "It is too large for staging: for `staging.max_bytes`, or for the file system, which takes others.",
        "Raise the limit or quota that the reason names, or name another disk in `[staging] dir`; it is tried again by "
        "itself, within five minutes.",
        WHEN_STALLED,
        tried=False,
    ),
    HoldCause.COPY_DAMAGED: CauseFacts(
        (Scope.FILE,),
        "Its private copy in staging is damaged whenever it is made.",
        "Look after the disk of staging, or name another in `[staging] dir`; the copy is made again every ten seconds.",
        WHEN_STALLED,
        tried=False,
    ),
    HoldCause.SOURCE_STAYS: CauseFacts(
        (Scope.FILE,),
        "Sources of this folder cannot be archived or deleted.",
        "Mend rights, room or mount of the folder or the archive; the items are there.",
        WHEN_STALLED,
    ),
    HoldCause.MISTAKE: CauseFacts(
        (Scope.FILE, Scope.SESSION),
        "A mistake in the program.",
        "Report it with the traceback in the log; it is tried again by itself.",
        AT_ONCE,
    ),
    HoldCause.DAILY_LIMIT: CauseFacts(
        (Scope.STAGE,),
        "As many bytes were sent today as `[transfer] daily_limit` allows.",
        "It ends with the day; or raise the limit, and reload.",
        A_DAY,
        tried=False,
    ),
    HoldCause.PAUSED: CauseFacts(
        (Scope.FOLDER, Scope.MACHINE),
        "A person has paused the folder, or everything.",
        "`uploader resume`, with the folder where only that is paused.",
        A_DAY,
        tried=False,
    ),
    HoldCause.UNKNOWN: CauseFacts(
        tuple(Scope),
        "An earlier version of the program entered the hold.",
        "Its reason says what to do; it has its cause as soon as it is tried again.",
        WHEN_STALLED,
    ),
}
