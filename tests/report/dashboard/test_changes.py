"""Changes: who may make them, and what the daemon is asked for."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.support.page import Acted, browsing, let_in
from uploader.report.dashboard import wishes

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
def acted(tmp_path: Path) -> Acted:
    """Three rejected files, and a daemon that does as it is told."""
    made = Acted(tmp_path)
    for name, reason in (
        ("a.tif", "It does not open."),
        ("b.tif", "It does not open."),
        ("c.tif", "Too large."),
    ):
        made.add(name, "rejected", reason=reason)
    made.answers = {
        "retry": {"retried": 1, "tried": 2},
        "forget": {"forgotten": 1, "refused": [[2, "it still lies there"]]},
        "pause": {"until": None},
        "resume": {"resumed": ["/srv/drop"]},
    }
    return made


def origin(client: Any) -> dict[str, str]:
    """What a browser says of a request that this very page makes."""
    return {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}


TARGET = {"scope": "target", "subject": "p-1/coast"}
WISHES: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("retry", {"files": [1, 3, 99]}, [{"command": "retry", "paths": ["/srv/drop/a.tif", "/srv/drop/c.tif"]}]),
    (
        "retry",
        {"reason": "It does not open."},
        [{"command": "retry", "paths": ["/srv/drop/a.tif", "/srv/drop/b.tif"]}],
    ),
    ("retry", {"all": True}, [{"command": "retry", "paths": None}]),
    ("forget", {"files": [2]}, [{"command": "forget", "files": [2]}]),
    ("forget", {"all": True}, [{"command": "forget", "files": [1, 2, 3]}]),
    ("held", {}, [{"command": "retry", "held": True}]),
    ("held", TARGET, [{"command": "retry", "hold": TARGET}]),
    ("held", {"scope": "platform"}, [{"command": "retry", "hold": {"scope": "platform", "subject": ""}}]),
    ("pause", {"folder": "/srv/drop"}, [{"command": "pause", "folder": "/srv/drop", "seconds": None}]),
    ("pause", {"folder": "", "seconds": 60}, [{"command": "pause", "folder": "", "seconds": 60}]),
    ("resume", {"folder": "/srv/drop"}, [{"command": "resume", "folder": "/srv/drop"}]),
]


async def test_a_wish_is_a_request_of_the_control_socket(acted: Acted) -> None:
    """The page does nothing itself: what it wishes is what the commands ask the daemon for."""
    async with browsing(acted) as client:
        await let_in(client, acted)
        for name, wish, asked in WISHES:
            acted.asked.clear()
            answer = await client.post(f"/api/v1/{name}", json=wish, headers=origin(client))
            assert (answer.status_code, acted.asked) == (200, asked)


FORMS: list[tuple[str, dict[str, str], list[dict[str, Any]]]] = [
    ("retry", {"file": "1"}, [{"command": "retry", "paths": ["/srv/drop/a.tif"]}]),
    ("retry", {"all": "1"}, [{"command": "retry", "paths": None}]),
    ("forget", {"reason": "Too large."}, [{"command": "forget", "files": [3]}]),
    ("held", {}, [{"command": "retry", "held": True}]),
    ("held", TARGET, [{"command": "retry", "hold": TARGET}]),
    ("pause", {"folder": "", "seconds": "3600"}, [{"command": "pause", "folder": "", "seconds": 3600}]),
]


async def test_a_form_does_the_same_without_a_script(acted: Acted) -> None:
    """It leads back to where it was, where what came of it is told once."""
    back = "/files?state=rejected"
    async with browsing(acted) as client:
        await let_in(client, acted)
        for name, form, asked in FORMS:
            acted.asked.clear()
            answer = await client.post(f"/act/{name}", data={**form, "back": back}, headers=origin(client))
            assert (answer.status_code, answer.headers["location"], acted.asked) == (303, back, asked)
        told, again = await client.get(back), await client.get("/")
    assert '<p class="notice" role="status">' in told.text
    assert '<p class="notice" role="status">' not in again.text


async def test_a_form_leads_nowhere_else(acted: Acted) -> None:
    """Whatever address stands in it."""
    async with browsing(acted) as client:
        await let_in(client, acted)
        for back in ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x"):
            answer = await client.post("/act/held", data={"back": back}, headers=origin(client))
            assert answer.headers["location"] == "/"


async def test_without_the_cookie_nothing_is_changed(acted: Acted) -> None:
    """Whoever reaches the page may read, and sees no button."""
    async with browsing(acted) as client:
        for name in wishes.WISHES:
            by_script = await client.post(f"/api/v1/{name}", json={"all": True}, headers=origin(client))
            by_form = await client.post(f"/act/{name}", data={"all": "1"}, headers=origin(client))
            assert (by_script.status_code, by_form.status_code, acted.asked) == (403, 403, [])
        page = await client.get("/")
    assert "/act/" not in page.text


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {},
]


async def test_a_page_of_another_site_changes_nothing(acted: Acted) -> None:
    """Even where the browser sent the cookie along, and where it does not say who asks."""
    async with browsing(acted) as client:
        await let_in(client, acted)
        for headers in FOREIGN:
            form = {"token": acted.access.token()}
            for address in ("/act/held", "/enter", "/leave"):
                assert (await client.post(address, data=form, headers=headers)).status_code == 403
            answer = await client.post("/api/v1/held", json={}, headers=headers)
            assert (answer.status_code, acted.asked) == (403, [])


async def test_another_site_does_not_make_it_work(acted: Acted) -> None:
    """What another site's page embeds is refused; a link that leads here is followed."""
    async with browsing(acted) as client:
        embedded = await client.get("/api/v1/changes", headers={"Sec-Fetch-Site": "cross-site"})
        followed = await client.get(
            "/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        )
    assert (embedded.status_code, followed.status_code) == (403, 200)


async def test_the_token_gives_a_cookie_that_no_script_sees(
    acted: Acted, caplog: pytest.LogCaptureFixture
) -> None:
    """It is good once, and neither token nor cookie reaches a log or a page."""
    with caplog.at_level(logging.DEBUG):
        async with browsing(acted) as client:
            token = acted.access.token()
            entered = await client.post("/enter", data={"token": token}, headers=origin(client))
            again = await client.post("/enter", data={"token": token}, headers=origin(client))
            page = await client.get("/")
            await client.post("/leave", headers=origin(client), data={})
            out = await client.post("/api/v1/held", json={}, headers=origin(client))
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert (again.status_code, out.status_code) == (403, 403)
    secret = cookie.partition("=")[2].partition(";")[0]
    assert "/act/held" not in page.text  # nothing is held
    assert "/act/retry" in page.text
    logged = "".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("uploader", "uvicorn"))
    )
    for text in (logged, page.text, again.text):
        assert token not in text
        assert secret not in text


NAMELESS: list[tuple[str, dict[str, Any]]] = [
    ("retry", {}),
    ("retry", {"files": []}),
    ("retry", {"files": [0]}),
    ("retry", {"files": ["1"]}),
    ("forget", {"all": "yes"}),
    ("forget", {"files": [1 << 70]}),
]


async def test_a_wish_that_names_nothing_is_refused_in_words(acted: Acted) -> None:
    """Above all it does not mean everything."""
    async with browsing(acted) as client:
        await let_in(client, acted)
        for name, wish in NAMELESS:
            answer = await client.post(f"/api/v1/{name}", json=wish, headers=origin(client))
            assert (answer.status_code, acted.asked) == (400, [])
            assert "Name the files" in answer.json()["error"]


async def test_what_the_daemon_refuses_is_told_in_its_words(acted: Acted) -> None:
    """To a script as an error, to a person on the page."""

    async def refuse(request: Any) -> dict[str, Any]:
        return {"ok": False, "error": "`folder` is no folder."}

    async with browsing(acted, command=refuse) as client:
        await let_in(client, acted)
        by_script = await client.post("/api/v1/pause", json={"folder": "x"}, headers=origin(client))
        await client.post("/act/pause", data={"folder": "x"}, headers=origin(client))
        page = await client.get("/")
    assert (by_script.status_code, by_script.json()) == (400, {"error": "`folder` is no folder."})
    assert "`folder` is no folder." in page.text


async def test_a_body_that_is_no_object_is_refused(acted: Acted) -> None:
    """An empty one means no wish at all."""
    async with browsing(acted) as client:
        await let_in(client, acted)
        headers = {**origin(client), "Content-Type": "application/json"}
        for body in (b"", b"{", b"[]", b"[" * 100_000, b"\xff"):
            answer = await client.post("/api/v1/retry", content=body, headers=headers)
            assert (answer.status_code, acted.asked) == (400, [])
