"""`uploader check --live`: on the sandbox it finds each switch, keeps what it found, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from uploader import cli
from uploader.core.moments import iso
from uploader.daemon.live_profile import NAME, keep
from uploader.effects import live_item
from uploader.sandbox import Options, Sandbox

pytestmark = pytest.mark.e2e

OLDER = iso(time.time() - 86_400)

SWITCHES: dict[str, tuple[tuple[Any, Any], tuple[Any, Any]]] = {
    "transfer_methods/transfer_method": (("guide", "signed_url"), ("published", "cli")),
    "items_per/items_per": (("file", "file"), ("session", "session")),
    "replay_initiate/initiate_repeated": ((False, "another"), (True, "same")),
    "repeat_item_ids/complete_repeated": ((False, "none"), (True, "ids")),
    "repeat_fail/fail_repeated": (("conflict", "HTTP 409"), ("ok", "ok")),
    "repeated_asset_key/asset_key_twice": (("number", "both"), ("refuse", "HTTP 422")),
    "item_box/box_of_two": (("first", "first"), ("union", "union")),
    "default_view/default_view": (("first", "first"), ("newest", "newest")),
    "update_properties/properties_updated": (("replace", "replaced"), ("merge", "kept")),
    "names_in_items/names_in_items": ((True, True), (False, False)),
    "url_life/url_life": ((300.0, 300), (77.0, 77)),
    "token_life/token_life": ((300.0, 300.0), (66.0, 66.0)),
}
"""By switch of the sandbox, and the fact that shows it: two settings of it, each with what is found."""


NOT_ASKED = {
    **dict.fromkeys(("root", "host", "port", "store_port", "public_host"), "where it is"),
    **dict.fromkeys(("api_key", "keys", "username", "password", "organization", "projects"), "who may enter"),
    **dict.fromkeys(("quota_bytes", "credits", "card"), "what an organization has"),
    **dict.fromkeys(("rate_limit", "rate_window", "retry_after", "session_rate_limit"), "each 429 says it"),
    **dict.fromkeys(("order_rate_limit", "delivery_after", "place_status", "order_status"), "of orders"),
    **dict.fromkeys(("latency", "seed", "pipeline_delay", "paint_deadline"), "how fast it is"),
    "refresh_life": "told with each token, and a refresh token is used once",
    "validation": "each shape of a 422 is read",
    "resumable": "objects are sent in one piece",
    "store_keys": "who signs",
}
"""Options of the sandbox that are no guess of what the platform does, or need no answer before the first file."""


def test_each_option_of_the_sandbox_is_found_or_no_guess() -> None:
    """A new switch is asked for here, or said to be none."""
    found = {name.partition("/")[0] for name in SWITCHES} | {"items_visible_after", "items_update"}

    assert found.isdisjoint(NOT_ASKED)
    assert found | NOT_ASKED.keys() == {one.name for one in fields(Options)}


def checked(
    root: Path,
    monkeypatch: Any,
    capsys: Any,
    *faults: dict[str, Any],
    older: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[int, dict[str, Any], set[str]]:
    """Exit code, what was printed, and the items that are left on the platform; no session may be open.

    `older` are the facts of a profile that is there already.
    """
    (root / "box").mkdir(parents=True)
    monkeypatch.setattr(live_item, "_LOOK", 0.05)
    with Sandbox(Options(root=root / "box", api_key="gpra_right", rate_limit=0, **options)) as box:
        monkeypatch.setenv("GEOPERA_API_KEY", box.api_key)
        for rule in faults:
            httpx.post(f"{box.base_url}/sandbox/faults", json=rule).raise_for_status()
        config = root / "config.toml"
        config.write_text(f'state_dir = "{root}/state"\n[platform]\nbase_url = "{box.base_url}"\n')
        if older is not None:
            made = {"date": OLDER, "base_url": box.base_url, "project": "p-1", "facts": older}
            keep(root / "state", made)
        code = cli.execute(["check", "-c", str(config), "--live", "--project", "p-1", "--json"])
    with closing(sqlite3.connect(root / "box" / "sandbox.sqlite")) as db:
        items = {row[0] for row in db.execute("SELECT id FROM item WHERE deleted_at IS NULL")}
        states = {row[0] for row in db.execute("SELECT DISTINCT state FROM session")}
    assert "open" not in states
    told = json.loads(capsys.readouterr().out)
    kept = json.loads((root / "state" / NAME).read_text())
    assert kept.items() <= told.items() or (kept["facts"], told["kept"]) == (older, None)
    return code, told, items


@pytest.mark.parametrize("position", [0, 1])
def test_each_switch_of_the_sandbox_is_found(
    tmp_path: Path, monkeypatch: Any, capsys: Any, position: int
) -> None:
    """All in one setting, then all in the other: no fact hides another."""
    options = {name.partition("/")[0]: both[position][0] for name, both in SWITCHES.items()}
    code, told, items = checked(tmp_path, monkeypatch, capsys, **options, items_visible_after=2.5 * position)
    facts = told["facts"]

    assert (code, items) == (0, set())
    assert {name: facts[name.partition("/")[2]] for name in SWITCHES} == {
        name: both[position][1] for name, both in SWITCHES.items()
    }
    assert (facts["visible_after"] > 2) == bool(position)
    assert facts["left"] == []
    assert told["date"].startswith("20")


def test_an_asset_that_is_replaced_and_a_call_that_is_not_there_are_found(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    """The third setting of one switch, and one that hides another."""
    _, told, _ = checked(tmp_path, monkeypatch, capsys, repeated_asset_key="replace", items_update="unknown")

    found = {name: told["facts"][name] for name in ("asset_key_twice", "items_update", "properties_updated")}
    assert found == {"asset_key_twice": "replaced", "items_update": "HTTP 404", "properties_updated": ""}


def test_what_it_made_is_taken_away_though_it_fails(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """And what cannot be is told by its id."""
    faults = (
        {"operation": "items.list_assets", "kind": "status", "status": 500},
        {"operation": "items.delete", "kind": "status", "status": 500, "when": {"count": 1}},
    )
    code, told, items = checked(tmp_path, monkeypatch, capsys, *faults)

    assert code == 1
    assert told["error"]
    assert told["facts"]["items_per"] == ""
    assert len(items) == 1
    assert told["facts"]["left"] == [f"item {items.pop()}"]


def test_a_project_is_named_for_it(tmp_path: Path, capsys: Any) -> None:
    """Nothing is sent to the projects of folders."""
    assert cli.execute(["check", "--live"]) == 2
    assert cli.execute(["check", "--project", "p-1"]) == 2
    assert "belong together" in capsys.readouterr().err


def test_a_check_that_ends_early_leaves_a_better_profile_in_use(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    """And items of a `complete` that nobody answered are found and deleted: such a session is never failed."""
    cut = {"operation": "uploads.complete", "kind": "cut_after", "when": {"count": 1}}
    code, told, items = checked(tmp_path, monkeypatch, capsys, cut, older={"items_per": "session"})

    assert (code, items) == (1, set())
    assert told["facts"]["left"] == []
    assert told["error"]
    assert (told["kept"], told["profile_in_use"]) == (None, OLDER)


def test_an_interrupted_check_cleans_up_and_leaves_a_better_profile_in_use(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    """Ctrl-C while it asks about its items: they are deleted, and what it had found is told, not kept."""

    async def interrupted(_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()

    monkeypatch.setattr(live_item.LiveItem, "given_twice", interrupted)
    code, told, items = checked(tmp_path, monkeypatch, capsys, older={"items_per": "session"})

    assert (code, items, told["error"]) == (1, set(), "Interrupted.")
    assert (told["facts"]["items_per"], told["kept"], told["profile_in_use"]) == ("file", None, OLDER)


def test_a_check_that_found_nothing_makes_no_profile(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """A platform that cannot be reached has not taken the configured transfer_method."""
    monkeypatch.setenv("GEOPERA_API_KEY", "gpra_right")
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\n[platform]\nbase_url = "http://127.0.0.1:1"\n')

    code = cli.execute(["check", "-c", str(config), "--live", "--project", "p-1"])

    told = "".join(capsys.readouterr())
    assert (code, (tmp_path / "state" / NAME).exists()) == (1, False)
    assert "not kept, for nothing was found out" in told
    assert "It came to an end early" in told
