"""Places where a test can kill the process, or plant a mistake, named and listed, so that each of them can be tried.

`UPLOADER_FAILPOINT=NAME` or `NAME:N` (the Nth time it is passed) kills the process with SIGKILL there.
`UPLOADER_MISTAKES=NAME,NAME:N` raises `PlantedMistake` there, each time or the first N times; `action.CLASS` is where
an action of that class begins. Without the variables a failpoint costs two comparisons.
`python -m uploader.system.failpoints` lists the names.
`UPLOADER_COMPARE=1` has the daemon hold its working set against the journal at every turn, and end where they differ.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter

EFFECTS = (
    "claim.before",
    "claim.begun",
    "claim.copied",
    "claim.renamed",
    "claim.after",
    "convert.before",
    "convert.after",
    "unpack.before",
    "unpack.made",
    "unpack.after",
    "unpack.adopted",
    "initiate.before",
    "initiate.after",
    "sign.before",
    "sign.after",
    "put.after",
    "progress.before",
    "progress.after",
    "complete.before",
    "complete.after",
    "fail.before",
    "fail.after",
    "dispose.before",
    "dispose.copied",
    "dispose.recorded",
    "dispose.made",
    "dispose.hidden",
    "dispose.gathered",
    "dispose.restoring",
    "dispose.archived",
    "dispose.placed",
    "dispose.arrived",
    "dispose.unlinked",
    "dispose.emptied",
    "dispose.done",
    "dispose.after",
    "collection.before",
    "collection.after",
    "describe.before",
    "describe.after",
    "discard.before",
    "discard.half",
    "discard.after",
)
"""Before, within and after each effect on the world."""

COMMITS = (
    "abandoned",
    "changed",
    "claimed",
    "completed",
    "completing",
    "converted",
    "copy_lost",
    "discarded",
    "discovered",
    "disposed",
    "doubted",
    "estranged",
    "failed",
    "follower_left",
    "forget",
    "forgotten",
    "held",
    "hold",
    "incomplete",
    "initiating",
    "look_again",
    "looked",
    "lost",
    "not_found",
    "opened",
    "paused",
    "planned",
    "pruned",
    "pruned_noise",
    "pruned_sessions",
    "read_back",
    "reconciled",
    "refused",
    "rejected",
    "restarted",
    "resumed",
    "retried",
    "retry",
    "scene_collection",
    "scene_complete",
    "scene_described",
    "scene_looked",
    "scene_retry",
    "session_retry",
    "set_back",
    "shown_holds",
    "shrunk",
    "stored",
    "stuck",
    "summed",
    "told",
    "transfers_due",
    "tried_now",
    "twin",
    "unhold",
    "unpacked",
    "unpacking",
    "vanished",
)
"""The journal's transactions; each has a failpoint before and after its commit."""

REPAIR = (
    "repair.salvaged",
    "repair.listed",
    "repair.written",
    "repair.finished",
    "repair.copies",
    "repair.aside",
    "repair.swapped",
)
"""Between the steps of a repair of the journal."""

UPGRADE = ("journal.copied", "upgrade.kept", "upgrade.migrated")
"""Between the steps by which an earlier journal is brought up to date."""

FAILPOINTS = (*EFFECTS, *(f"commit.{name}.{when}" for name in COMMITS for when in ("before", "after")))

_NAME, _, _NTH = os.environ.get("UPLOADER_FAILPOINT", "").partition(":")
_passed: Counter[str] = Counter()

_ENDLESS = 1 << 30
_mistakes: dict[str, int] = {
    name: int(times or _ENDLESS)
    for name, _, times in (word.partition(":") for word in os.environ.get("UPLOADER_MISTAKES", "").split(","))
    if name
}
"""How often a mistake is still to be made at which failpoint."""


COMPARING = os.environ.get("UPLOADER_COMPARE") == "1"


class PlantedMistake(Exception):
    """What a test asked for: an exception that nobody foresaw."""


def within(effect: str) -> tuple[str, ...]:
    """The failpoints inside an effect, between the one before and the one after it."""
    inside = (name for name in EFFECTS if name.partition(".")[0] == effect)
    return tuple(name for name in inside if name.partition(".")[2] not in {"before", "after"})


def failpoint(name: str) -> None:
    """Die or fail here if the environment asks for it."""
    if _mistakes and _mistakes.get(name, 0) > 0:
        _mistakes[name] -= 1
        raise PlantedMistake(name)
    if not _NAME or name != _NAME:
        return
    _passed[name] += 1
    if _passed[name] >= int(_NTH or 1):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.stdout.write("\n".join(FAILPOINTS) + "\n")
