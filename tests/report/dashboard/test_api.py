"""`/api/v1/`: what it answers, in pages and as a stream, and that its document tells all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import jsonschema
import pytest

from tests.support.page import Acted, browsing, let_in, serving
from uploader.core.model import Hold, HoldCause, Scope
from uploader.journal import Reader
from uploader.journal.opening import newest_event
from uploader.report.dashboard import Preview, event_stream
from uploader.report.dashboard.api import Api
from uploader.report.dashboard.operations import BASE

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

SQUARE = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]


@pytest.fixture
def acted(tmp_path: Path) -> Acted:
    """Some of everything."""
    made = Acted(tmp_path)
    for number in range(5):
        made.add(f"2026/ortho_{number}.tif", ago=100 - number)
    made.add("bad.tif", "rejected", reason="It does not open.")
    made.add("next.tif", "queued", folder="/srv/other")
    made.holds = [Hold(Scope.TARGET, "p-1", "It is gone.", "Make it.", 1.0, cause=HoldCause.TARGET_REFUSED)]
    made.running = [{"kind": "put", "subject": "x.tif", "total": 10, "done": 5, "since": 1.0}]
    made.previews = {1: Preview([SQUARE], picture=True)}
    made.picture = b"\x89PNG"
    return made


def checked(document: dict[str, Any], path: str, value: Any) -> None:
    """Raise where an answer is not as the document says."""
    told = document["paths"][path]["get"]["responses"]["200"]["content"]
    schema = next(iter(told.values()))["schema"]
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


async def test_every_route_is_told_and_every_answer_is_as_told(acted: Acted) -> None:
    """The document has the paths that are there, no other, and each answers by its schema."""
    operations = Api(acted.sources()).operations()
    async with browsing(acted) as client:
        document = (await client.get(f"{BASE}/openapi.json")).json()
        told = {(path, method) for path, methods in document["paths"].items() for method in methods}
        there = {(f"{BASE}{one.path.replace(':int', '')}", one.method.lower()) for one in operations}
        assert told == there
        for path, methods in document["paths"].items():
            if "get" not in methods or path.endswith(("/events", "/changes")):
                continue
            answer = await client.get(path.replace("{id}", "1"))
            assert answer.status_code == 200, path
            kind = next(iter(methods["get"]["responses"]["200"]["content"]))
            assert answer.headers["content-type"] == kind
            if kind != "image/png":
                checked(document, path, answer.json())
        names = [methods[m]["operationId"] for methods in document["paths"].values() for m in methods]
        assert len(names) == len(set(names))


async def test_status_and_holds_are_those_of_the_command(acted: Acted) -> None:
    """One status feeds everything."""
    async with browsing(acted) as client:
        status = (await client.get(f"{BASE}/status")).json()
        holds = (await client.get(f"{BASE}/holds")).json()
    expected = await acted.status()
    assert {**status, "rate": 0} == {**expected, "rate": 0}
    assert holds == {"revision": 7, "holds": expected["holds"]}


async def pages(client: httpx.AsyncClient, address: str, key: str) -> list[Any]:
    """All rows, page by page."""
    found, cursor = [], ""
    for _ in range(50):
        sign = "&" if "?" in address else "?"
        answer = (await client.get(f"{address}{sign}limit=2&cursor={cursor}")).json()
        found += answer[key]
        if answer["next"] is None:
            return found
        cursor = answer["next"]
    raise AssertionError("the pages have no end")


LISTS = [
    ("/files", "files", [7, 6, 5, 4, 3, 2, 1]),
    ("/files?state=completed", "files", [5, 4, 3, 2, 1]),
    ("/files?folder=/srv/other", "files", [7]),
    ("/files?folder=/srv/other&state=rejected", "files", []),
    ("/files?search=ORTHO", "files", [1, 2, 3, 4, 5]),
    ("/files?search=it_2026/ortho_3.tif", "files", [4]),
    ("/files?search=up_2026/ortho_2.tif", "files", [3]),
    ("/files?search=ortho&state=rejected", "files", []),
    ("/files?search=%25", "files", []),
    ("/sessions", "sessions", [5, 4, 3, 2, 1]),
    ("/items", "items", [5, 4, 3, 2, 1]),
    ("/items?project=p-1", "items", [5, 4, 3, 2, 1]),
    ("/items?folder=/srv/other", "items", []),
]


async def test_lists_come_in_pages(acted: Acted) -> None:
    """Each row once, by what was asked for, however small the pages are."""
    async with browsing(acted) as client:
        found = {
            address: [row["id"] for row in await pages(client, f"{BASE}{address}", key)]
            for address, key, _ in LISTS
        }
    assert found == {address: expected for address, _, expected in LISTS}


SENSELESS = [
    *("limit=0", "limit=x", "limit=1001", "state=nope", f"search={'x' * 1001}"),
    *("cursor=x", "cursor=WzFd!", "cursor=bnVsbA", "cursor=WyJhIiwiYiIsMV0", "search=a&cursor=WzFd"),
]
ABSENT = ["/files/99", "/files/0", f"/files/{1 << 63}", "/sessions/99", "/files/2/thumbnail", "/x"]


async def test_what_makes_no_sense_is_refused_in_words(acted: Acted) -> None:
    """And so is what is not there; a name that no file can have is merely not found."""
    acted.picture = b""
    async with browsing(acted) as client:
        senseless = [await client.get(f"{BASE}/files?{query}") for query in SENSELESS]
        absent = [await client.get(f"{BASE}{address}") for address in ABSENT]
        odd = await client.get(f"{BASE}/files?search=%00")
    assert [(answer.status_code, [*answer.json()]) for answer in senseless] == [(400, ["error"])] * len(
        SENSELESS
    )
    assert [(answer.status_code, [*answer.json()]) for answer in absent] == [(404, ["error"])] * len(ABSENT)
    assert odd.json() == {"files": [], "next": None}


async def test_a_story_has_every_version_and_outlives_its_rows(acted: Acted) -> None:
    """Where history was forgotten the receipt still tells what became of it."""
    acted.change("UPDATE files SET current = NULL WHERE id = 1")
    acted.add("2026/ortho_0.tif", "queued")
    async with browsing(acted) as client:
        whole = (await client.get(f"{BASE}/files/8")).json()
        acted.change("DELETE FROM events WHERE file_id = 2")
        acted.forget(2)
        forgotten = (await client.get(f"{BASE}/files/2")).json()
        page = await client.get("/files/2")
    assert whole["versions"] == [1, 8]
    assert [event["event"] for event in whole["events"]][-2:] == ["completed", "claimed"]
    assert whole["session"] is None
    assert (forgotten["file"], forgotten["receipt"]["item_id"]) == (None, "it_2026/ortho_1.tif")
    assert "its receipt is kept" in page.text


async def read_events(lines: Any, number: int) -> list[tuple[int, str]]:
    """So many lines of the event log: their ids and events."""
    found: list[tuple[int, str]] = []
    last = 0
    with anyio.fail_after(10):
        async for line in lines:
            if line.startswith("id: "):
                last = int(line[4:])
            elif line.startswith("data: "):
                found.append((last, json.loads(line[6:])["event"]))
                if len(found) == number:
                    break
    return found


async def test_events_go_on_where_the_client_was(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line once, in order, over a broken connection, and only what is new to who names no place."""
    monkeypatch.setattr(event_stream, "PACE", 0.02)
    monkeypatch.setattr(event_stream, "LINES", 2)
    async with browsing(acted) as client:
        with Reader(acted.state) as reader:
            newest = newest_event(reader.db)
        async with client.stream("GET", f"{BASE}/events?after=0") as stream:
            first = await read_events(stream.aiter_lines(), 5)
        async with client.stream(
            "GET", f"{BASE}/events", headers={"Last-Event-ID": str(first[-1][0])}
        ) as stream:
            rest = await read_events(stream.aiter_lines(), newest - 5)
        async with client.stream("GET", f"{BASE}/events") as stream:
            acted.add("new.tif", "queued")
            new = await read_events(stream.aiter_lines(), 1)
        wrong = await client.get(f"{BASE}/events?after=-1")
    assert [number for number, _ in first + rest] == list(range(1, newest + 1))
    assert new == [(newest + 1, "claimed")]
    assert wrong.status_code == 400


async def test_changes_come_only_when_something_moves(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """One at the beginning, one for each commit, and one for each look while something runs."""
    monkeypatch.setattr(event_stream, "PACE", 0.02)
    acted.running = []
    async with browsing(acted) as client, client.stream("GET", f"{BASE}/changes") as stream:
        lines = stream.aiter_lines()

        async def told(seconds: float) -> int:
            number = 0
            with anyio.move_on_after(seconds):
                async for line in lines:
                    number += line == "event: changed"
                    if number == 3:
                        break
            return number

        assert await told(0.3) == 1
    async with browsing(acted) as client, client.stream("GET", f"{BASE}/changes") as stream:
        lines = stream.aiter_lines()
        acted.running = [{"kind": "put", "subject": "x", "total": 2, "done": 1, "since": 1.0}]
        assert await told(10) == 3


async def test_streams_are_bounded(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens too many is told so, and who only asks is still answered; a place that is left is free again."""
    monkeypatch.setattr(event_stream, "MAX_STREAMS", 2)
    monkeypatch.setattr(event_stream, "PACE", 0.02)
    async with serving(acted) as port, anyio.create_task_group() as group:
        base = f"http://127.0.0.1:{port}"

        async def hold(cut: anyio.Event, *, task_status: Any) -> None:
            async with (
                httpx.AsyncClient(verify=False) as client,
                client.stream("GET", f"{base}{BASE}/changes") as stream,
            ):
                lines = stream.aiter_lines()
                await anext(lines)
                task_status.started()
                await cut.wait()

        cut = anyio.Event()
        for _ in range(2):
            await group.start(hold, cut)
        async with httpx.AsyncClient(base_url=base, verify=False) as client:
            with anyio.fail_after(10):
                assert (await client.get(f"{BASE}/changes")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200
            cut.set()
            with anyio.fail_after(10):
                while True:
                    async with client.stream("GET", f"{BASE}/changes") as stream:
                        if stream.status_code == 200:
                            break
                    await anyio.sleep(0.02)


async def test_rejected_files_are_told_by_reason(acted: Acted) -> None:
    """The most frequent first."""
    for number in range(2):
        acted.add(f"large_{number}.tif", "rejected", reason="Too large.")
    async with browsing(acted) as client:
        told = (await client.get(f"{BASE}/rejected")).json()
        await let_in(client, acted)
        page = (await client.get("/")).text
    assert told["reasons"] == [
        {"reason": "Too large.", "files": 2},
        {"reason": "It does not open.", "files": 1},
    ]
    assert page.index("Too large.") < page.index("It does not open.")
