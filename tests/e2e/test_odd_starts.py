"""Started by somebody who left signals ignored or blocked, or descriptors closed; and hung up on."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable

import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e

EXEC = "; import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
BLOCKED = "{signal.SIGCHLD, signal.SIGTERM, signal.SIGALRM}"


@pytest.mark.parametrize(
    "oddity",
    [
        "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {BLOCKED})",
        "import os; os.close(0)",
        "import os; os.close(2)",
        "import os; os.closerange(0, 3)",
    ],
    ids=["SIGCHLD ignored", "signals blocked", "no input", "no errors", "no descriptors"],
)
def test_it_works_whatever_it_inherits(make_world: Callable[..., World], oddity: str) -> None:
    """Rasters are converted and become items, and nothing of what is printed ends in a file of ours."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=64)
    w.until_idle(prefix=[sys.executable, "-c", oddity + EXEC])

    assert len(w.audit().items) == 1
    assert w.problems() == []
    assert w.status()["completed"] == 1


def test_a_blocked_signal_still_ends_it(make_world: Callable[..., World]) -> None:
    """Or systemd would have to kill it."""
    w = make_world(
        prefix=[sys.executable, "-c", "import signal; signal.pthread_sigmask(0, range(1, 32))" + EXEC]
    )
    process = w.start()
    w.wait((w.state / "control.sock").exists, "the daemon is up")
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0


def test_few_open_files_are_raised_or_refused(make_world: Callable[..., World]) -> None:
    """A low soft limit is raised; where the hard one is too low, the reason and the way out are told at the start."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {})"
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=64)

    refused = w.until_idle(prefix=[sys.executable, "-c", limit.format((40, 40)) + EXEC], check=78)
    w.until_idle(prefix=[sys.executable, "-c", limit.format((20, 4096)) + EXEC])

    assert "ulimit -n" in refused.stderr
    assert w.status()["completed"] == 1


def test_a_hangup_ends_nothing(make_world: Callable[..., World]) -> None:
    """At any moment from the start to the last commit the work goes on; in between the configuration is read again."""
    w = make_world()
    with w.daemon() as process:
        w.awake(process)
        for _ in range(20):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
        make("dem_nodata", w.drop / "a.tif", size=64)
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        process.send_signal(signal.SIGHUP)
        w.wait(lambda: w.status()["completed"] == 1, "the file is an item")
        process.send_signal(signal.SIGTERM)
        for _ in range(20):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
        assert process.wait(60) == 0

    assert "configuration: read again" in (w.root / "daemon.log").read_text()


def test_the_log_is_json_where_that_is_set(make_world: Callable[..., World]) -> None:
    """Each line of a daemon's life is an object; those about a file name it with its folder and its item."""
    w = make_world(settings={"log": {"format": "json"}})
    make("dem_nodata", w.drop / "a.tif", size=64)
    lines = [json.loads(line) for line in w.until_idle().stderr.splitlines()]
    about = [line for line in lines if line.get("file") == "a.tif"]
    assert {line["folder"] for line in about} == {str(w.drop)}
    assert {"claimed", "converted", "stored", "made"} <= {line["message"].partition(" ")[0] for line in about}
    assert [line["item"] for line in about if "item" in line] == [item["id"] for item in w.items()]
