"""What the drop-in says for a configuration, and that systemd takes it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from uploader.config import Folder, Settings, StagingSection, TransferSection
from uploader.core.errors import ConfigurationError
from uploader.service.drop_in import drop_in, word
from uploader.service.unit_files import UNIT, settings_of, shipped

pytestmark = pytest.mark.unit

PROGRAM = Path("/opt/uploader/bin/uploader")
CONFIG = Path("/etc/uploader/config.toml")


def settings(*folders: dict[str, Any], **facts: Any) -> Settings:
    """A configuration with these drop folders."""
    return Settings.model_validate({"folders": tuple(Folder(project_id="p", **f) for f in folders), **facts})


def said(chosen: Settings, config: Path = CONFIG, program: Path = PROGRAM) -> list[tuple[str, str]]:
    """The keys of the drop-in."""
    return settings_of(drop_in(chosen, config, program))


def test_where_sources_stay_nothing_more_is_written_to() -> None:
    """The unit as it is shipped is enough."""
    assert said(settings({"path": "/srv/drop"})) == []


def test_sources_that_go_need_their_folder_and_the_archive() -> None:
    """Each may be missing at the start; what the daemon cannot start without may not."""
    chosen = settings(
        {"path": "/srv/a", "after_upload": "archive", "archive_dir": "/srv/done"},
        {"path": "/srv/b", "after_upload": "delete"},
        state_dir="/data/state",
        staging=StagingSection(dir="/fast/staging"),
    )
    assert said(chosen) == [
        ("ReadWritePaths", path)
        for path in ("/data/state", "/fast/staging", "-/srv/a", "-/srv/done", "-/srv/b")
    ]


def test_what_differs_from_the_shipped_unit_is_said() -> None:
    """Another place of program or configuration, a longer drain, a folder below /home."""
    chosen = settings({"path": "/home/alice/drop"}, transfer=TransferSection(drain_seconds=300.0))
    assert said(chosen, Path("/etc/uploader/my $x.toml")) == [
        ("ExecStart", ""),
        ("ExecStart", '/opt/uploader/bin/uploader run -c "/etc/uploader/my $$x.toml"'),
        ("ProtectHome", "read-only"),
        ("TimeoutStopSec", "360"),
    ]


@pytest.mark.parametrize("path", ["/tmp/drop", "/var/tmp/drop", "/proc/drop"])
def test_a_folder_that_a_service_cannot_see_is_refused(path: str) -> None:
    """It has a /tmp of its own: the folder would be missing for ever."""
    with pytest.raises(ConfigurationError, match="A service cannot see"):
        said(settings({"path": path}))


def test_a_path_that_would_be_a_line_of_its_own_is_refused() -> None:
    """A name can hold a line break; a unit file cannot."""
    with pytest.raises(ConfigurationError, match="Rename"):
        word(Path("/srv/a\nExecStartPre=/bin/evil"))


def test_systemd_reads_odd_paths_back(tmp_path: Path) -> None:
    """Blanks, quotes, percent and backslash survive; systemd itself says so."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    odd = {"path": r"""/srv/my "drop" 100% 'a' b\c;d""", "after_upload": "delete"}
    unit = tmp_path / UNIT
    unit.write_text(shipped(UNIT).replace("/opt/uploader/bin/uploader", "/bin/true"))
    (tmp_path / f"{UNIT}.d").mkdir()
    text = drop_in(settings(odd), CONFIG, Path("/bin/true"))
    (tmp_path / f"{UNIT}.d/installed.conf").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=yes", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert UNIT not in done.stderr
