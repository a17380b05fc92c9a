"""Rows 33 to 36 and 44: clocks, connections, and answers that are none."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

from tests.faults.rows.base import Result, Row, after_another, need
from tests.support import preload
from tests.support.gateway import Gateway, Rule
from tests.support.live import Live, live
from tests.support.preload import Board

CALLS = ("token", "uploads.initiate", "uploads.signed_url", "store.put", "uploads.complete")
"""What an upload is made of; progress reports are never in the way, and `fail` has a row of its own."""

HOUR, TEN_YEARS = 3600, 10 * 365 * 86400


def clock_jumps(root: Path, seed: int) -> Result:
    """The wall clock jumps while files settle and wait for a retry: nothing ends early or waits for years."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    with live(root, environment=board.environment) as d:
        for number, jump in enumerate((HOUR, -HOUR, TEN_YEARS, -TEN_YEARS, 1, -1)):
            d.fault("uploads.initiate", status=503, body="problem", when={"count": 2})
            d.fault("store.put", "delay_before", seconds=1.0)
            d.drop(f"{number}.tif")
            time.sleep(1.5)  # settled, and waiting for its retry
            board.shift(jump)
            d.idle()
            calls = len(d.w.audit().calls())
            time.sleep(1.0)
            idle = len(d.w.audit().calls()) - calls
            result.add(f"jump by {jump} s", [f"{idle} calls while idle"] if idle else [])
            board.shift(0)
        result.add("all", d.wrong(), 0)
    return result


def names(root: Path, seed: int) -> Result:
    """The name server does not answer for a while, and a name that does not exist: told, retried, then on."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    with live(root, start=False, options={"public_host": "localhost"}) as d:
        right = d.w.box.base_url
        d.w.settings["platform"] = {"base_url": "https://platform.invalid"}
        d.w.write_config()
        d.up(**board.environment)
        d.drop("misspelt.tif")
        result.add("no such name", _told(d, "platform.invalid"))
        d.end()
        d.w.settings["platform"] = {"base_url": right}
        d.w.write_config()
        board.deafen("localhost")
        d.up()
        d.drop("deaf.tif")
        result.add("no answer", _told(d, "localhost") + ([] if "localhost" in right else [right]))
        calls = len(d.w.audit().calls())
        result.add("nothing is sent", [f"{calls} calls reached the platform"] if calls else [], 0)
        board.heal()
        board.elapse(61)
        d.idle()
        result.add("resolved again", d.wrong())
    return result


def _told(d: Live, host: str) -> list[str]:
    """Wait until the status says that a host is not to be found."""

    def reasons() -> list[str]:
        status = d.status()
        return [str(row["reason"]) for row in (*status["holds"], *status["retrying"]) if row["reason"]]

    try:
        d.w.wait(lambda: [text for text in reasons() if host in text or "reach" in text], "it is told")
    except AssertionError:
        return [f"told as {reasons()}"]
    return []


def connections(root: Path, seed: int) -> Result:
    """Refused, and reset at byte k in either direction of each call."""
    rng, result = random.Random(seed), Result()
    with Gateway() as gateway, live(root, start=False, settings={"platform": {"proxy": gateway.url}}) as d:
        gateway.down = True
        d.up()
        d.drop("refused.tif")
        time.sleep(2.0)
        gateway.down = False
        d.idle()
        result.add("refused", d.wrong())
        for part in ("initiate", "signed_url", "X-Goog-Signature", "complete"):
            for way in ("cut_up", "cut_down"):
                k = rng.randrange(1, 90 if way == "cut_down" or part != "X-Goog-Signature" else 9000)
                gateway.rules = [Rule(part, count=1, **{way: k})]
                d.drop(f"{part}-{way}.tif")
                d.idle()
                struck = gateway.rules[0].struck
                result.add(f"{part} {way} at {k}", d.wrong() + ([] if struck else ["no call was cut"]))
    return result


def stalls(root: Path, seed: int) -> Result:
    """No answer at all, an answer that stops, a store that reads no further, a slow line."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    cases = {
        "black hole": Rule("signed_url", black_hole=True, count=1),
        "half an answer": Rule("signed_url", stall_down=150, count=1),
        "initiate without an answer": Rule("initiate", stall_down=0, count=1),
        "PUT without an answer": Rule("X-Goog-Signature", stall_down=0, count=1),
        "complete without an answer": Rule("complete", stall_down=0, count=1),
    }
    with Gateway() as gateway:
        settings = {"platform": {"proxy": gateway.url}}
        with live(root, environment=board.environment, settings=settings) as d:
            for name, rule in cases.items():
                gateway.rules = [rule]
                d.drop(f"{name}.tif")
                d.w.wait(lambda rule=rule: rule.struck, "the call")
                time.sleep(0.5)
                board.elapse(320)  # beyond the longest timeout
                d.idle()
                result.add(name, d.wrong())
            gateway.rules = [Rule("X-Goog-Signature", rate=20_000, count=1)]
            d.drop("slow.tif", kind="rgb_striped", size=200)
            d.idle()
            result.add("a line of 20 kB/s", d.wrong())
    return result


def storms(root: Path, seed: int) -> Result:
    """408, 429 with both forms of Retry-After, 5xx, twice in a row on each call: retried, obeyed, nobody's fault."""
    result = Result()
    with live(root) as d:
        for operation in CALLS:
            for status in (408, 429, 500, 502, 503, 504):
                for form in ("seconds", "date") if status in (429, 503) else ("",):
                    after = {"retry_after": 1.0, "retry_after_form": form} if form else {}
                    name = f"{operation} {status}{form}"
                    found = _struck(d, operation, name, status=status, count=2, body="native", **after)
                    result.add(name, found + _obeyed(d, operation))
        result.add("all", d.wrong(), 0)
    return result


def _struck(d: Live, operation: str, name: str, *, count: int = 1, **fault: Any) -> list[str]:
    """Let a call fail so often, drop a file, and wait until it is done; returns what was not struck."""
    d.fault(operation, count=count, **fault)
    d.drop(f"{name.replace(' ', '-')}.tif")
    if operation == "token":  # asked for at the start
        d.end()
        d.up()
    d.idle()
    struck = d.struck()
    d.behave()
    return [] if struck == count else [f"{struck} calls were struck, not {count}"]


def _obeyed(d: Live, operation: str) -> list[str]:
    calls = d.w.audit().calls(operation)
    pairs = itertools.pairwise(calls)
    return [
        f"{b.at - a.at:.2f} s after a 429 of 1 s" for a, b in pairs if a.status == 429 and b.at - a.at < 0.95
    ]


def strange_answers(root: Path, seed: int) -> Result:
    """HTML of a captive portal with 200 and 404, half a JSON, nothing, a cut and 32 MiB on each call."""
    result = Result()
    with live(root) as d:
        for operation in CALLS:
            faults = [
                {"status": 200, "body": body} for body in ("html", "broken", "empty", "truncated", "giant")
            ]
            for fault in (*faults, {"status": 404, "body": "html"}):
                if operation == "store.put" and (fault["body"] == "giant" or fault["status"] == 404):
                    continue  # the store's own refusals are in row 37
                name = f"{operation} {fault['status']} {fault['body']}"
                result.add(name, _struck(d, operation, name, **fault))
        result.add("all", d.wrong(), 0)
        resident = _resident(d)
        result.add("memory", [f"{resident >> 20} MiB"] if resident > 150 << 20 else [], 0)
    result.told = f"{resident >> 20} MiB resident after 32 MiB answers"
    return result


def _resident(d: Live) -> int:
    assert d.process is not None
    status = Path(f"/proc/{d.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


ROWS = (
    Row(33, "the wall clock jumps by an hour and ten years", "LD_PRELOAD", clock_jumps),
    Row(
        34,
        "names that are not resolved, connections refused, and reset at byte k",
        "LD_PRELOAD resolver, a name under .invalid; proxy",
        after_another(names, connections),
        refers="certificates: tests/net/test_transport_errors.py",
    ),
    Row(
        35,
        "answers that never come or stop, a store that stalls, a slow line",
        "proxy, LD_PRELOAD clock",
        stalls,
    ),
    Row(36, "408, 429 with both forms of Retry-After, 5xx on each call", "sandbox", storms),
    Row(44, "HTML, half, empty and giant answers on each call", "sandbox", strange_answers),
)
