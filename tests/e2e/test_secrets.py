"""Planted secrets are found nowhere but where they belong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


def test_no_secret_leaves_the_process(make_world: Callable[..., World]) -> None:
    """Key, tokens and signatures are in no log, journal, status, argument or child's environment."""
    w = make_world(options={"latency": 0.2, "token_life": 4.0, "url_life": 2.0})
    w.fault({"operation": "store.put", "kind": "status", "status": 403, "when": {"count": 2}})
    for number in range(6):
        make("rgb_striped", w.drop / f"{number}.tif", size=700, seed=number)
    environments: list[bytes] = []
    process = w.start(GEOPERA_API_KEY=w.box.api_key)
    own = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    try:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            time.sleep(0.05)
            for child in psutil.Process(process.pid).children(recursive=True):
                try:
                    command = Path(f"/proc/{child.pid}/cmdline").read_bytes()
                    if command == own:
                        continue  # forked, but not yet the program that it is going to be
                    environments += [command, Path(f"/proc/{child.pid}/environ").read_bytes()]
                except OSError:
                    continue
            if len(w.audit().items) == 6:
                break
    finally:
        process.terminate()
        process.wait(30)

    assert len(w.audit().items) == 6
    assert environments
    places = {
        "log": (w.root / "daemon.log").read_bytes(),
        "status": w.command("status", "-c", str(w.config), "--json").stdout.encode(),
        "arguments": own,
        **{f"child {n}": text for n, text in enumerate(environments)},
        **{str(p): p.read_bytes() for p in w.state.rglob("*") if p.is_file()},
    }
    secrets = [w.box.api_key.encode(), b"X-Goog-Signature", b"eyJhbGciOi", b"Bearer "]
    leaks = [(place, secret) for place, text in places.items() for secret in secrets if secret in text]

    assert leaks == []
    assert os.environ.get("GEOPERA_API_KEY") is None


def test_the_store_never_sees_the_platforms_credentials(make_world: Callable[..., World]) -> None:
    """A PUT carries no Authorization header, also after a refusal."""
    w = make_world()
    w.fault({"operation": "store.put", "kind": "status", "status": 403, "when": {"count": 1}})
    make("dem_nodata", w.drop / "a.tif", size=64)

    w.until_idle()

    puts = w.audit().calls("store.put")
    assert len(puts) >= 2
    assert not any(put.had_authorization for put in puts)
