"""What a configuration that is read again changes, at once or with the next start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uploader.config import Folder, Settings, compare

pytestmark = pytest.mark.unit

DROP = {"path": Path("/srv/drop"), "project_id": "p-1"}
OTHER = {"path": Path("/srv/other"), "project_id": "p-1"}

LIVE = {
    "staging.max_bytes": 1 << 30,
    "convert.verify": "off",
    "convert.compression": "zstd",
    "convert.level": "small",
    "convert.memory_limit": 1 << 30,
    "convert.timeout_seconds": 60.0,
    "batch.max_files": 7,
    "batch.max_bytes": 1 << 20,
    "batch.linger_seconds": 1.0,
    "batch.max_wait_seconds": 9.0,
    "transfer.concurrency": 1,
    "transfer.bandwidth_limit": "5MB/s",
    "transfer.daily_limit": 1 << 30,
    "transfer.drain_seconds": 1.0,
    "limits.min_free_bytes": 0,
    "limits.max_attempts": 2,
    "limits.max_pixels": 10,
    "limits.max_bands": 3,
    "notify.webhook": "https://chat.example/hook",
    "notify.heartbeat": "https://watch.example/ping",
    "notify.command": ["/usr/bin/logger"],
    "notify.stalled_after": "90s",
    "notify.repeat_every": "1d",
    "log.format": "json",
}
RESTART = {
    "state_dir": Path("/var/lib/other"),
    "staging.dir": Path("/var/lib/uploader/elsewhere"),
    "convert.workers": 3,
    "convert.engine": "dask",
    "convert.scheduler": "tcp://127.0.0.1:8786",
    "convert.tls_ca_file": Path("/etc/ca.pem"),
    "convert.tls_cert_file": Path("/etc/cert.pem"),
    "convert.tls_key_file": Path("/etc/key.pem"),
    "convert.fallback": "local",
    "platform.base_url": "https://other.example",
    "platform.auth": "api_key",
    "platform.client_id": "other",
    "platform.api_key_file": Path("/etc/uploader/other"),
    "platform.transfer_method": "cli",
    "platform.requests_per_minute": 1,
    "platform.proxy": "http://proxy:3128",
    "platform.ca_file": Path("/etc/ca.pem"),
    "dashboard.listen": "127.0.0.1:9999",
    "dashboard.hosts": ("uploads.example.org",),
    "dashboard.basemap": "https://tiles.example.org/{z}/{x}/{y}.png",
    "dashboard.basemap_attribution": "a map",
}
"""Another value for each key."""


def settings(folders: list[dict[str, Any]], **changed: Any) -> Settings:
    """A whole configuration, with some keys changed as `section.key`."""
    tables: dict[str, Any] = {"staging": {"dir": Path("/var/lib/uploader/staging")}}
    for place, value in changed.items():
        section, _, key = place.partition(".")
        if key:
            tables.setdefault(section, {})[key] = value
        else:
            tables[section] = value
    return Settings.model_validate(
        {**tables, "folders": tuple(Folder(**folder) for folder in folders)}, context={}
    )


def value_of(chosen: Settings, place: str) -> Any:
    """What stands at `section.key`."""
    section, _, key = place.partition(".")
    found = getattr(chosen, section)
    return getattr(found, key) if key else found


def test_every_key_is_known_to_change_at_once_or_with_a_start() -> None:
    """A new key has to be put into one of the two tables above, and what it changes into the daemon."""
    document = settings([DROP]).model_dump(exclude={"folders"})
    keys = {
        f"{name}.{key}" if key else name
        for name, value in document.items()
        for key in (value if isinstance(value, dict) else [""])
    }
    assert keys == LIVE.keys() | RESTART.keys()


@pytest.mark.parametrize("place", LIVE)
def test_what_changes_at_once(place: str) -> None:
    """It holds from now on, and is named."""
    read = settings([DROP], **{place: LIVE[place]})
    changes = compare(settings([DROP]), read)
    assert (changes.live, changes.restart) == ((place,), ())
    assert changes.settings == read


@pytest.mark.parametrize("place", RESTART)
def test_what_needs_a_start(place: str) -> None:
    """The old value holds on, the new one is named, and what else has changed holds at once."""
    running = settings([DROP])
    changes = compare(running, settings([DROP], **{place: RESTART[place], "limits.max_attempts": 2}))
    assert (changes.live, changes.restart) == (("limits.max_attempts",), (place,))
    assert value_of(changes.settings, place) == value_of(running, place)
    assert changes.settings.limits.max_attempts == 2


def test_folders_are_known_by_their_paths() -> None:
    """One that is named no more, one that is new, and one with another key; their order says nothing."""
    kept = {**DROP, "path": Path("/srv/kept")}
    running = settings([DROP, OTHER, kept])
    changes = compare(
        running, settings([kept, {**DROP, "settle_seconds": 1.0}, {**DROP, "path": Path("/srv/new")}])
    )
    assert [folder.path for folder in changes.removed] == [OTHER["path"]]
    assert [folder.path for folder in changes.added] == [Path("/srv/new")]
    assert [(folder.path, folder.settle_seconds) for folder in changes.changed] == [(DROP["path"], 1.0)]
    assert not compare(running, running).live
    assert compare(running, running).settings == running
