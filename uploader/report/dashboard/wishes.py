"""What a person may wish on the page, as requests of the control socket. Nothing here changes anything itself.

retry   {"files": [ID, ...]}, {"reason": TEXT} or {"all": true}     rejected files once more
forget  the same                                                    rejected files that will not come back
held    {} or {"scope": SCOPE, "subject": TEXT}                     try now whatever is held, or one hold
pause   {"folder": PATH or "", "seconds": NUMBER or null}           nothing new is begun
resume  {"folder": PATH, "" or null}                                the end of it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from uploader.core.errors import UploaderError
from uploader.core.path_text import lossless
from uploader.core.plurals import count_of
from uploader.journal import listings
from uploader.report.dashboard.sources import Sources

AT_ONCE = 1000
"""Files of one request of the control socket."""

MOST = 100_000
"""Files of one wish."""

Wish = Callable[[Sources, Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def retry(sources: Sources, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Try rejected files once more. Returns how many, as `retried`."""
    if wish.get("all") is True:
        return await _answered(sources, {"command": "retry", "paths": None})
    ids = await _chosen(sources, wish)
    found = await sources.read(lambda db: listings.paths_by_id(db, ids))
    retried = 0
    for some in _batches([lossless(path) for path in found.values()]):
        answer = await _answered(sources, {"command": "retry", "paths": some})
        retried += answer["retried"]
    return {"retried": retried}


async def forget(sources: Sources, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Give up files that will not come back. Returns how many, as `forgotten`, and what stays and why, as `refused`."""
    ids = await _chosen(sources, wish)
    forgotten, refused = 0, []
    for some in _batches(ids):
        answer = await _answered(sources, {"command": "forget", "files": some})
        forgotten += answer["forgotten"]
        refused += answer["refused"]
    return {"forgotten": forgotten, "refused": refused}


async def held(sources: Sources, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Try now whatever is held, or one hold. Returns how many things that are, as `tried`."""
    if "scope" not in wish:
        return await _answered(sources, {"command": "retry", "held": True})
    name = {"scope": wish["scope"], "subject": wish.get("subject", "")}
    return await _answered(sources, {"command": "retry", "hold": name})


async def pause(sources: Sources, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Begin nothing new. Returns until when, as `until`."""
    request = {"command": "pause", "folder": wish.get("folder", ""), "seconds": wish.get("seconds")}
    return await _answered(sources, request)


async def resume(sources: Sources, wish: Mapping[str, Any]) -> dict[str, Any]:
    """End a pause. Returns the folders whose pause ended, as `resumed`."""
    return await _answered(sources, {"command": "resume", "folder": wish.get("folder")})


WISHES: Mapping[str, Wish] = {
    "retry": retry,
    "forget": forget,
    "held": held,
    "pause": pause,
    "resume": resume,
}


def words(name: str, answer: Mapping[str, Any]) -> str:
    """What came of a wish, as one or two sentences."""
    match name:
        case "retry":
            return f"{count_of(answer['retried'], 'rejected file')} will be tried again."
        case "forget":
            kept = "".join(f" {reason[:1].upper()}{reason[1:]}." for reason in _reasons(answer["refused"]))
            stays = f" {count_of(len(answer['refused']), 'file')} stayed on the list.{kept}"
            return f"{count_of(answer['forgotten'], 'file')} forgotten." + (
                stays if answer["refused"] else ""
            )
        case "held":
            return f"{count_of(answer['tried'], 'thing')} that waited will be tried now."
        case "pause":
            return "Nothing new is begun there until it is resumed."
        case _:
            return "It goes on." if answer["resumed"] else "Nothing was paused there."


def _reasons(refused: Sequence[Sequence[Any]]) -> list[str]:
    return sorted({str(reason) for _, reason in refused})[:3]


async def _chosen(sources: Sources, wish: Mapping[str, Any]) -> list[int]:
    """The rejected files that a wish names, by id. Raises UploaderError where it names none."""
    reason, ids = wish.get("reason"), wish.get("files")
    if wish.get("all") is True or isinstance(reason, str):
        asked = reason if isinstance(reason, str) else None
        return await sources.read(lambda db: listings.rejected_ids(db, asked, MOST))
    if isinstance(ids, list) and ids and all(type(each) is int and 0 < each < 1 << 63 for each in ids):
        return ids
    raise UploaderError('Name the files: {"files": [ID, ...]}, {"reason": TEXT} or {"all": true}.')


async def _answered(sources: Sources, request: Mapping[str, Any]) -> dict[str, Any]:
    """The daemon's answer. Raises UploaderError in its own words where it says no."""
    answer = dict(await sources.command(request))
    if not answer.pop("ok", False):
        raise UploaderError(str(answer.get("error") or "The daemon said no without a reason."))
    return answer


def _batches(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE)]
