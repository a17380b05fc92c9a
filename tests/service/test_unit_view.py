"""A check as the unit would run it."""

from __future__ import annotations

import pytest

from uploader.service.unit_files import UNIT, shipped
from uploader.service.unit_view import transient

pytestmark = pytest.mark.unit


def test_all_that_confines_the_unit_confines_the_check() -> None:
    """User, credential and sandbox of unit and drop-ins, in order; nothing of when it starts or ends."""
    dropped = '[Service]\nExecStart=\nExecStart=/opt/u/bin/uploader run -c "/etc/my 100%%.toml"\nReadWritePaths=-/srv\n'
    arguments = transient(shipped(UNIT) + dropped, "--json")
    rest = arguments[arguments.index("--") :]
    assert rest == ["--", "/opt/u/bin/uploader", "check", "-c", "/etc/my 100%.toml", "--json"]
    given = arguments[arguments.index("--property") : arguments.index("--")][1::2]
    assert {"User=uploader", "ProtectSystem=strict", "StateDirectory=uploader"} <= set(given)
    assert "LoadCredential=geopera-api-key:/etc/uploader/api-key" in given
    assert given[-1] == "ReadWritePaths=-/srv"
    assert not [one for one in given if one.startswith(("Type", "Exec", "Restart", "Watchdog", "Timeout"))]
