"""Rows 37 to 43 and 45: refusals, the store's words, the quota, sessions and keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.faults.rows.base import Result, Row, after_another, need
from tests.faults.rows.network import CALLS
from tests.support import preload
from tests.support.live import Live, control, live
from tests.support.preload import Board
from tests.support.world import PATIENCE
from uploader.core.failure_policy import PROBE_EVERY

REFUSALS = (400, 401, 403, 404, 409, 412, 413, 422)


def refusals(root: Path, seed: int) -> Result:
    """Each 4xx once on each call: by its meaning a retry, a fresh URL, a fresh session, a hold, or a rejection."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    rejecting = {
        ("uploads.signed_url", 400),
        ("uploads.signed_url", 422),
        *(("uploads.complete", s) for s in (400, 413, 422)),
    }
    with live(root, environment=board.environment) as d:
        rejected: list[Path] = []
        for operation in CALLS[1:]:
            for status in REFUSALS:
                if (operation, status) == ("uploads.complete", 409):
                    continue  # as if it had been completed before: the last trial below
                d.fault(operation, status=status, count=1)
                path = d.drop(f"{operation}-{status}.tif")
                _pass_holds(d, board)
                if (operation, status) in rejecting:
                    rejected.append(path)
                result.add(f"{operation} {status}", [] if d.struck() else ["no call was struck"])
                d.behave()
        result.add("all", d.wrong(rejected=rejected), 0)
        told = len(rejected)
        d.w.command("retry", "-c", str(d.w.config), "--all", check=0)
        d.idle()
        result.add("after retry --all", d.wrong(), 0)
        result.add("uploads.complete 409", _contradicted(d, board))
    result.told = f"{told} rejected alone, all completed after `retry --all`"
    return result


def _contradicted(d: Live, board: Board) -> list[str]:
    """`complete` is refused as if it had been done: the items are looked for, then a person is asked, and acts."""
    d.fault("uploads.complete", status=409)
    path = d.drop("contradicted.tif")
    end = time.monotonic() + PATIENCE
    while (status := d.status()) and not any(_for_a_person(hold) for hold in status["holds"]):
        if time.monotonic() > end:
            return [f"no hold names the session: {status['holds']}"]
        if status["files"]["stored"]:
            board.elapse(61)
        time.sleep(0.3)
    d.w.command("retry", "-c", str(d.w.config), str(path), check=0)
    _pass_holds(d, board)
    return [line for line in d.wrong() if "reserved" not in line and "open session" not in line]


def _converts(status: dict[str, Any]) -> bool:
    """Whether a file is on its way to its COG: if the clock went on then, what works would be taken for what hangs."""
    files = status["files"]
    return bool(files["settling"] + files["queued"] > len(status["retrying"]))


def _for_a_person(hold: dict[str, Any]) -> bool:
    """Whether it is of a session, and does not end by itself."""
    return hold["scope"] == "session" and hold["until"] is None


def _pass_holds(d: Live, board: Board, seconds: float = PATIENCE) -> None:
    """Wait for the last drop; where it is held, let the time to the next try go by."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = d.status()
        if sum(status["files"].values()) >= len(d.dropped) and status["pending"] == 0:
            return
        if (status["holds"] or any(r["reason"] for r in status["retrying"])) and not _converts(status):
            board.elapse(310)
        time.sleep(0.3)
    raise AssertionError(f"not ended within {seconds} s: {d.status()['holds'] or d.status()}")


def wrong_bytes(root: Path, seed: int) -> Result:
    """The store reports or keeps other bytes, or says 200 and keeps nothing: sent again, never completed."""
    result = Result()
    with live(root) as d:
        for number, (kind, more) in enumerate(
            (
                ("wrong_hash", {}),
                ("corrupt", {}),
                ("status", {"status": 200, "body": "empty"}),
                ("corrupt", {"count": 2}),
            )
        ):
            d.fault("store.put", kind, **more)
            d.drop(f"{number}-{kind}.tif")
            d.idle()
            result.add(f"{kind} {more}", d.wrong() + ([] if d.struck() else ["no PUT was struck"]))
            d.behave()
    return result


def stored_unanswered(root: Path, seed: int) -> Result:
    """The PUT is stored, but the answer is 503, a cut, or an error page: sent again to the same key."""
    result = Result()
    with live(root) as d:
        for number, (kind, more) in enumerate(
            (
                ("status", {"status": 503, "commit": True}),
                ("cut_after", {}),
                ("status", {"status": 502, "body": "html", "commit": True}),
                ("cut_before", {"after_bytes": 5000}),
            )
        ):
            d.fault("store.put", kind, **more)
            d.drop(f"{number}.tif")
            d.idle()
            found = d.wrong() + ([] if d.struck() else ["no PUT was struck"])
            result.add(f"{kind} {more}", found)
            d.behave()
        objects = len(d.w.audit().objects)
        result.add(
            "objects",
            [] if objects == len(d.dropped) else [f"{objects} objects of {len(d.dropped)} files"],
            0,
        )
    return result


def expired_urls(root: Path, seed: int) -> Result:
    """A URL that is dead on arrival: minted again, at most three times for one session."""
    result = Result()
    with live(root) as d:
        for count in (1, 2, 3, 5):
            d.fault("store.put", "expired_url", count=count)
            d.drop(f"{count}.tif")
            d.idle()
            result.add(
                f"{count} dead URLs", d.wrong() + ([] if d.struck() == count else [f"{d.struck()} struck"])
            )
            d.behave()
        failed = [s for s in d.w.audit().sessions if s.state == "failed"]
        result.add(
            "sessions",
            [] if len(failed) == 2 else [f"{len(failed)} failed, not 2: one after each third URL"],
            0,
        )
    return result


def quota(root: Path, seed: int) -> Result:
    """402 parks without spending calls, shows, lets one probe a minute pass, and ends when it is freed."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    with live(root, environment=board.environment, options={"quota_bytes": 60_000}) as d:
        d.drop_some(2, "first", kind="dem_nodata")
        d.idle()
        control(d.w, "quota", {"quota_bytes": 25_000})
        d.drop_some(4, "held", kind="rgb_striped", size=200)
        hold = d.held("organization")
        result.add("shown", [] if "quota" in hold["reason"] else [f"told as {hold['reason']!r}"])
        asked = _initiates(d)
        time.sleep(6.0)
        result.add(
            "parked", [f"{_initiates(d) - asked} calls in six seconds"] if _initiates(d) > asked else []
        )
        for probe in range(3):
            before = _initiates(d)
            board.elapse(int(PROBE_EVERY) + 1)
            d.w.wait(lambda before=before: _initiates(d) > before, "a probe")
            time.sleep(3.0)
            spent = _initiates(d) - before
            result.add(f"probe {probe}", [] if spent == 1 else [f"{spent} probes in a minute"])
        control(d.w, "quota", {"quota_bytes": 100 << 30})
        board.elapse(int(PROBE_EVERY) + 1)
        d.idle()
        left = [h for h in d.status()["holds"] if h["scope"] == "organization"]
        result.add("freed", d.wrong() + [f"still held: {h['reason']}" for h in left])
    return result


def _initiates(d: Live) -> int:
    return len(d.w.audit().calls("uploads.initiate"))


def partial_quota(root: Path, seed: int) -> Result:
    """What alone exceeds the quota waits by name, while smaller ones pass."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    with live(root, environment=board.environment, options={"quota_bytes": 60_000}) as d:
        large = d.drop("large.tif", kind="rgb_striped", size=400)
        d.drop_some(3, "small", size=32)
        end = time.monotonic() + PATIENCE
        while len(d.w.audit().items) < 3 and time.monotonic() < end:
            status = d.status()
            if status["holds"] and not _converts(status):
                board.elapse(61)
            time.sleep(0.5)
        items = len(d.w.audit().items)
        result.add("the small ones", [] if items == 3 else [f"{items} items beside the large one"])
        control(d.w, "quota", {"quota_bytes": 100 << 30})
        _pass_holds(d, board)
        result.add(large.name, d.wrong())
    return result


def fail_fails(root: Path, seed: int) -> Result:
    """`fail` is refused, cut and unanswered: repeated from the journal until the reservation is back."""
    result = Result()
    with live(root) as d:
        for number, (kind, more) in enumerate(
            (
                ("status", {"status": 500, "count": 2}),
                ("cut_after", {}),
                ("cut_before", {}),
                ("status", {"status": 429, "retry_after": 1.0}),
            )
        ):
            d.fault("store.put", status=403, count=3)
            d.fault("uploads.fail", kind, **more)
            d.drop(f"{number}.tif")
            d.idle()
            failed = [s for s in d.w.audit().sessions if s.state == "failed"]
            found = [] if len(failed) == number + 1 else [f"{len(failed)} sessions failed"]
            result.add(f"fail {kind}", d.wrong() + found)
            d.behave()
    return result


def complete_after_commit(root: Path, seed: int) -> Result:
    """`complete` makes the items and says 500, nothing, HTML, or half: repeated, one item."""
    result = Result()
    faults: tuple[tuple[str, dict[str, Any]], ...] = (
        ("status", {"status": 500, "commit": True}),
        ("cut_after", {}),
        ("status", {"status": 200, "body": "html", "commit": True}),
        ("status", {"status": 200, "body": "truncated", "commit": True}),
        ("status", {"status": 504, "commit": True, "count": 3}),
    )
    with live(root) as d:
        for number, (kind, more) in enumerate(faults):
            d.fault("uploads.complete", kind, **more)
            d.drop(f"{number}.tif")
            d.idle()
            result.add(f"complete {kind} {more}", d.wrong())
            d.behave()
    return result


def keys(root: Path, seed: int) -> Result:
    """The key is revoked with all its tokens, later another one is put in its place: a hold in words, then on."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    with live(root, environment=board.environment) as d:
        d.drop("before.tif")
        d.idle()
        control(d.w, "keys", {"secret": d.w.box.api_key, "revoked": True})
        d.drop("during.tif")
        hold = d.held("platform")
        result.add("told", [] if "key" in hold["reason"] else [f"told as {hold['reason']!r}"])
        calls = len(d.w.audit().calls())
        time.sleep(5.0)
        spent = len(d.w.audit().calls()) - calls
        result.add("parked", [f"{spent} calls in five seconds"] if spent > 1 else [])
        control(d.w, "keys", {"secret": "gpra_second_key_0002"})
        (d.w.root / "key").write_text("gpra_second_key_0002")
        board.elapse(61)
        d.idle()
        result.add("rotated", d.wrong() + [f"still held: {h['reason']}" for h in d.status()["holds"]])
    return result


def vanished_sessions(root: Path, seed: int) -> Result:
    """The platform forgets a session before a URL, and before `complete`: planned anew, one item."""
    result = Result()
    with live(root) as d:
        for operation in ("uploads.signed_url", "uploads.complete"):
            for status in (404, 410):
                d.fault(operation, "lose_session", status=status)
                d.drop(f"{operation}-{status}.tif")
                d.idle()
                result.add(
                    f"{operation} {status}", d.wrong() + ([] if d.struck() else ["no session was lost"])
                )
                d.behave()
    return result


ROWS = (
    Row(37, "each 4xx on each call", "sandbox", refusals),
    Row(38, "the store keeps or reports other bytes, or none", "sandbox", wrong_bytes, True),
    Row(39, "the PUT is stored and the answer is lost or an error", "sandbox", stored_unanswered),
    Row(40, "URLs that are dead on arrival", "sandbox", expired_urls),
    Row(
        41,
        "the quota is used up, and freed later",
        "sandbox, LD_PRELOAD clock",
        after_another(quota, partial_quota),
    ),
    Row(42, "`fail` itself fails", "sandbox", fail_fails),
    Row(43, "`complete` commits and is not answered", "sandbox", complete_after_commit, True),
    Row(
        45,
        "the key is revoked and rotated; sessions vanish",
        "sandbox, LD_PRELOAD clock",
        after_another(keys, vanished_sessions),
    ),
)
