"""The process that unpickles what workers send: what it can reach when one of them has taken it over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from uploader.convert.engine.starting import module_path
from uploader.convert.isolation import landlock
from uploader.convert.isolation.environment import of_child

pytestmark = pytest.mark.e2e

SPY = """
import json, os, sys
sys.path[:] = json.loads(sys.argv[1])
from pathlib import Path
from uploader.convert.engine.cluster import client
from uploader.convert.isolation import kernel
kernel.prctl(38, 1)  # no new privileges, as `main` has it
client._keep_to_libraries({"ca": sys.argv[2], "cert": "", "key": ""})
def tries(what):
    try:
        return bool(what())
    except OSError:
        return False
print(json.dumps({
    "certificate": tries(lambda: Path(sys.argv[2]).read_text()),
    "key": tries(lambda: Path(sys.argv[3]).read_text()),
    "environment of the daemon": tries(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
    "write": tries(lambda: Path(sys.argv[3]).write_text("x")),
    "program": tries(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "own environment": sorted(set(os.environ) - set(json.loads(sys.argv[4]))),
}))
"""


def test_whoever_takes_the_client_over_reads_neither_key_nor_journal(tmp_path: Path) -> None:
    """It keeps its libraries, its certificates and the way to the scheduler."""
    if not landlock.abi():
        pytest.skip("this kernel has no Landlock")
    pytest.importorskip("distributed", reason="needs the extra `dask`")
    certificate, key, environment = tmp_path / "ca.pem", tmp_path / "key", of_child()
    certificate.write_text("certificate")
    key.write_text("gpra_canary")
    arguments = [json.dumps(module_path()), str(certificate), str(key), json.dumps(list(environment))]
    done = subprocess.run(
        [sys.executable, "-I", "-c", SPY, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "certificate": True,
        "key": False,
        "environment of the daemon": False,
        "write": False,
        "program": False,
        "own environment": [],
    }
    assert key.read_text() == "gpra_canary"
