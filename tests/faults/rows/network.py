"""Rows 33 to 36 and 44: clocks, connections, and answers that are none."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

from tests.faults.rows.base import Result, Row, need
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
            d.idle(60)
            calls = len(d.w.audit().calls())
            time.sleep(1.0)
            idle = len(d.w.audit().calls()) - calls
            result.add(f"jump by {jump} s", [f"{idle} calls while idle"] if idle else [])
            board.shift(0)
        result.add("all", d.wrong(), 0)
    return result


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
                d.w.wait(lambda rule=rule: rule.struck, "the call", 20)
                time.sleep(0.5)
                board.elapse(320)  # beyond the longest timeout
                d.idle(60)
                result.add(name, d.wrong())
            gateway.rules = [Rule("X-Goog-Signature", rate=20_000, count=1)]
            d.drop("slow.tif", kind="rgb_striped", size=200)
            d.idle(60)
            result.add("a line of 20 kB/s", d.wrong())
    return result


def storms(root: Path, seed: int) -> Result:
    """408, 429 with both forms of Retry-After, 5xx on each call: retried, obeyed, nobody's fault."""
    result = Result()
    with live(root) as d:
        for operation in CALLS:
            for status in (408, 429, 500, 502, 503, 504):
                more: dict[str, Any] = {}
                if status in (429, 503):
                    more = {"retry_after": 1.0, "retry_after_form": "date" if status == 503 else "seconds"}
                d.fault(operation, status=status, count=2, body="native", **more)
            d.drop(f"{operation}.tif")
            if operation == "token":
                d.end()
                d.up()
            d.idle(120)
            struck = d.struck()
            d.behave()
            gaps = _obeyed(d, operation)
            result.add(
                operation,
                d.wrong() + gaps + ([] if struck >= 8 or operation == "token" else [f"{struck}"]),
                6,
            )
    return result


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
            for body in ("html", "broken", "empty", "truncated", "giant"):
                if (operation, body) != ("store.put", "giant"):
                    d.fault(operation, status=200, body=body)
            if operation != "store.put":
                d.fault(operation, status=404, body="html")
            d.drop(f"{operation}.tif")
            if operation == "token":
                d.end()
                d.up()
            d.idle(120)
            result.add(operation, d.wrong(), 6)
            d.behave()
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
        "connections refused, and reset at byte k",
        "proxy",
        connections,
        refers="certificates: tests/geopera",
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
