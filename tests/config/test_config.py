"""The configuration: what is read, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.config import Folder, PlatformSection, Settings, find, load, load_state_dir
from uploader.core.errors import ConfigurationError
from uploader.system.overlap import FolderPlace

pytestmark = pytest.mark.unit

FOLDER = '[[folders]]\npath = "/srv/drop"\nproject_id = "p-1"\n'


@pytest.fixture
def write(tmp_path):
    """Write a configuration and give its path."""

    def written(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return written


def complaints(path: Path) -> list[str]:
    """The lines of the error that loading raises, without the folder of the file."""
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return [line.removeprefix(f"{path.parent}/") for line in str(caught.value).splitlines()]


def test_the_smallest_configuration_has_the_documented_defaults(write):
    """A folder with a project is enough, and the rest is as the design says."""
    settings = load(write('state_dir = "/var/lib/uploader"\n' + FOLDER))
    assert settings.staging.path == Path("/var/lib/uploader/staging")
    assert settings.staging.max_bytes == 200 * 2**30
    assert settings.batch.max_bytes == 20 * 2**30
    assert settings.platform.base_url == "https://api.geopera.com"
    assert settings.destinations()[str(settings.folders[0].path)].project_id == "p-1"
    assert settings.batch.max_files == 100
    assert settings.convert.processes >= 1


@pytest.mark.parametrize(
    ("level", "limit", "effort"),
    [("auto", "", "fast"), ("auto", "5MB/s", "balanced"), ("small", "", "small"), ("fast", "5MB/s", "fast")],
)
def test_a_slow_line_is_worth_more_time_for_a_smaller_file(write, level, limit, effort):
    """With `auto` conversions are fast unless the line is limited; whoever names a level gets that one."""
    extra = f'[convert]\nlevel = "{level}"\n[transfer]\nbandwidth_limit = "{limit}"\n'

    assert load(write(FOLDER + extra)).effort == effort


def test_every_mistake_is_told_at_once_with_its_line(write):
    """One wrong key does not hide the others: shape, words and relations are all complained of together."""
    path = write(
        'state_dir = "/srv/drop/state"\n'
        "[platform]\n"
        'base_url = "http://example.com"\n'
        'auht = "api_key"\n'
        "[[folders]]\n"
        'path = "/srv/drop"\n'
        'project_id = "p-1"\n'
        'after_upload = "move"\n'
        "[[folders]]\n"
        'path = "/srv/drop/inner"\n'
        'after_upload = "archive"\n'
        'project_id = "p-1"\n'
        "[staging]\n"
        'max_bytes = "200G"\n'
        "[batch]\n"
        "max_files = 0\n"
    )
    found = complaints(path)
    expected = {
        "config.toml:3: [platform] base_url: would send the key unencrypted.",
        "config.toml:4: [platform] auht: unknown key. Did you mean auth?",
        "config.toml:6: [[folders]] #1 path: state_dir lies inside this drop folder.",
        "config.toml:6: [[folders]] #1 path: the staging folder lies inside this drop folder.",
        'config.toml:8: [[folders]] #1 after_upload: "move" should be',
        'config.toml:9: [[folders]] #2 archive_dir: is required with after_upload = "archive".',
        "config.toml:10: [[folders]] #2 path: overlaps [[folders]] #1 (/srv/drop)",
        'config.toml:14: [staging] max_bytes: "200G" is not a size',
        "config.toml:16: [batch] max_files: 0 should be at least 1.",
    }
    assert len(found) == len(expected)
    for start in expected:
        assert any(line.startswith(start) for line in found), start


def test_the_rules_between_keys_are_applied_once(write, monkeypatch, tmp_path):
    """A document's are told with their lines by who reads it; the model applies them to what no document says."""
    from uploader.config import error_messages, settings  # noqa: PLC0415

    applied = []
    for place in (error_messages, settings):
        rules = place.relations
        monkeypatch.setattr(
            place,
            "relations",
            lambda *given, rules=rules, place=place, **how: applied.append(place) or rules(*given, **how),
        )
    load(write(f'state_dir = "{tmp_path / "s"}"\n[[folders]]\npath = "{tmp_path / "d"}"\nproject_id = "p"\n'))
    Settings()

    assert applied == [error_messages, settings]


def test_whoever_only_asks_does_not_look_where_folders_lie(write, monkeypatch, tmp_path):
    """A disk that hangs would not answer; all other rules hold."""
    monkeypatch.setattr(FolderPlace, "named", lambda *_: pytest.fail("it was looked"))
    folder = f'[[folders]]\npath = "{tmp_path}"\nproject_id = "p"\n'
    assert load(write(folder), look=False).folders[0].path == tmp_path
    with pytest.raises(ConfigurationError, match="archive_dir: is required"):
        load(write(f'{folder}after_upload = "archive"\n'), look=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[transfer]\nconcurency = 4\n", "3: [transfer] concurency: unknown key. Did you mean concurrency?"),
        ("[transfer]\nmax_files = 4\n", "3: [transfer] max_files: unknown key. It belongs to [batch]."),
        ("[convret]\nworkers = 4\n", "2: convret: unknown key. Did you mean convert?"),
        ("[convert]\nengin = 'dask'\n", "3: [convert] engin: unknown key. Did you mean engine?"),
        (
            "[convert]\nscheduler = 'http://a:1'\n",
            "3: [convert] scheduler: should be the address of a Dask scheduler",
        ),
        ("[convert]\nscheduler = 'tls://a:99999'\n", "3: [convert] scheduler: "),
        ("[convert]\nengine = 'dask'\n[staging]\ndir = '/shared'\n", "2: [convert] scheduler: is required"),
        (
            "[convert]\nengine = 'dask'\nscheduler = 'tls://a:1'\n[staging]\ndir = '/shared'\n",
            "2: [convert] tls_ca_file: is required",
        ),
        (
            "[convert]\nengine = 'dask'\nscheduler = 'tcp://a:1'\ntls_ca_file = '/x'\n[staging]\ndir = '/shared'\n",
            "4: [convert] scheduler: would send everything unencrypted",
        ),
        (
            "[convert]\nengine = 'dask'\nscheduler = 'tcp://a:1'\n",
            '1: [staging] dir: must be set with engine = "dask"',
        ),
        ("[convert]\nworkers = '4'\n", '3: [convert] workers: "4" should be a whole number without quotes.'),
        ("[convert]\nworkers = -1\n", "3: [convert] workers: -1 should be at least 0."),
        ("[batch]\nlinger_seconds = inf\n", "3: [batch] linger_seconds: inf should be a finite number."),
        ("[dashboard]\nlisten = '8750'\n", '3: [dashboard] listen: "8750" should be HOST:PORT'),
        (
            "[dashboard]\nhosts = ['https://a/']\n",
            '3: [dashboard] hosts #1: is no name of a host; write it without "https://", port and path.',
        ),
        (
            "[dashboard]\nbasemap = 'https://a.org/{z}/{x}.png'\n",
            "3: [dashboard] basemap: has no {y}; each tile's zoom, column and row stand there.",
        ),
        ("[dashboard]\nbasemap = 'tiles'\n", "3: [dashboard] basemap: is no address of map tiles"),
        ("[dashboard]\nlisten = 'a:99999'\n", '3: [dashboard] listen: "a:99999" names a port above 65535.'),
        ("[transfer]\nbandwidth_limit = '50'\n", '3: [transfer] bandwidth_limit: "50" is not a rate'),
        ("[transfer]\nbandwidth_limit = 50\n", "3: [transfer] bandwidth_limit: 50 should be"),
        ("batch = 4\n", "2: batch: 4 should be a section with keys of its own."),
        (
            "[batch]\nmax_files = true\n",
            "3: [batch] max_files: true should be a whole number without quotes.",
        ),
        ("state_dir = ''\n", "2: state_dir: must not be empty; name a folder."),
        ("state_dir = '~nobody-of-this-name/x'\n", "2: state_dir: there is no home folder for ~nobody"),
        ('state_dir = "a\\u0000b"\n', "2: state_dir: holds a character that no path may hold."),
        ("state_dir = '$HOME/x'\n", "2: state_dir: has a variable, and none is replaced"),
        ("state_dir = 'sftp://host/x'\n", "2: state_dir: is an address; mount it"),
        ("[staging]\ndir = 'C:\\drop'\n", "3: [staging] dir: is a path of Windows"),
        ("[platform]\nbase_url = 'https://a.example/v1/'\n", "3: [platform] base_url: ends in /v1"),
        ("[platform]\nproxy = 'proxy:3128'\n", "3: [platform] proxy: is not the address of a proxy."),
        ("[platform]\nproxy = 'http://proxy'\n", "3: [platform] proxy: is not the address of a proxy."),
        ("[platform]\napi_key = 'x'\n", "3: [platform] api_key: unknown key. Did you mean api_key_file?"),
    ],
)
def test_a_wrong_key_is_told_with_line_and_way_out(write, text, expected):
    """Each kind of mistake has words of its own, and the line is that of the key."""
    assert complaints(write("# first\n" + text + FOLDER))[0].startswith(f"config.toml:{expected}")


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            'archive_dir = "/srv/drop/done"\nafter_upload = "archive"\n',
            "archived files would be uploaded again",
        ),
        ('ready_marker = "{steam}.done"\n', "in which {stem} and {name} stand for"),
        ('ready_marker = "sub/{stem}.done"\n', "should be a file name"),
        ("include = []\n", "is empty, so nothing would be taken"),
        ('after_upload = "archive"\narchive_dir = "/var/lib/uploader/staging/x"\n', "which is swept"),
        ('polling = "sometimes"\n', "'auto', 'always' or 'never'"),
        ('crs = "UTM 32"\n', 'is no reference system; write "EPSG:25832"'),
        ('nodata = "none"\n', "is no number; write for example 0"),
        ("nodata = true\n", "is no number"),
        ('on_missing_crs = "ignore"\n', "'warn' or 'reject'"),
        ("recursive = 1\n", "should be true or false"),
        ("include = '*.tif'\n", "should be a list"),
    ],
)
def test_a_folder_that_cannot_work_is_refused(write, extra, expected):
    """What would upload things twice, never, or by accident is found when the file is read."""
    assert expected in complaints(write(FOLDER + extra))[0]


def test_overlap_is_seen_through_symbolic_links(write, tmp_path):
    """Two spellings of one folder are one folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    two = "".join(f'[[folders]]\npath = "{tmp_path / name}"\nproject_id = "p"\n' for name in ("real", "link"))
    assert "overlaps" in complaints(write(f'state_dir = "{tmp_path / "s"}"\n' + two))[0]


def test_a_folder_beside_a_flat_one_does_not_overlap(write):
    """A flat folder frees the folders below it, also for the archive."""
    text = (
        FOLDER + 'recursive = false\nafter_upload = "archive"\narchive_dir = "/srv/drop/done"\n'
        '[[folders]]\npath = "/srv/drop/inner"\nproject_id = "p"\n'
    )
    assert len(load(write(text)).folders) == 2


def test_two_folders_may_not_write_to_the_same_asset(write):
    """One of them would replace what the other uploaded."""
    one = '[[folders]]\npath = "/srv/{}"\nproject_id = "p"\nitem_id = "i"\nasset_key = "data"\n'
    assert "one would replace the other" in complaints(write(one.format("a") + one.format("b")))[0]


def test_a_key_in_the_configuration_is_refused_without_being_shown(write):
    """Whoever pastes the key itself is told where it belongs, and it is not repeated on the terminal."""
    for key in ("api_key_file", "api_key", "auth"):
        text = "\n".join(complaints(write(f'[platform]\n{key} = "gpra_verysecret"\n' + FOLDER)))
        assert "verysecret" not in text
        assert f"[platform] {key}" in text


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = \n", 1), ("a = 1\nb = [1,\n", 2), ("a = 1\na = 2\n", 2), ("[x\n", 1), ('a = "x\n', 1)],
)
def test_text_that_is_not_toml_is_told_with_its_line(write, text, line):
    """A syntax error names file and line like any other mistake."""
    found = complaints(write(text))
    assert len(found) == 1
    assert int(found[0].split(":")[1]) in {line, line + 1}


@pytest.mark.parametrize("text", ["a = 1\na = 2\n", "[batch]\n[batch]\n", "[batch]\nx = 1\n[batch.x]\n"])
def test_what_stands_there_twice_is_told_as_such(write, text):
    """Quotes and brackets are not what is wrong then."""
    assert "was written before. Remove one of the two." in complaints(write(text))[0]


@pytest.mark.parametrize(
    "text", ['[folders]\npath = "/srv/drop"\nproject_id = "p"\n', 'folders = "/srv/drop"\n']
)
def test_a_folder_in_the_wrong_brackets_is_told_the_right_ones(write, text):
    """The likeliest slip of who writes TOML once a year."""
    assert complaints(write(text)) == [
        "config.toml:1: folders: is written as one section. Write [[folders]], one for each."
    ]


def test_an_empty_path_is_not_the_folder_of_the_file(write):
    """It would upload whatever lies beside the configuration."""
    assert complaints(write('[[folders]]\npath = ""\nproject_id = "p"\n')) == [
        "config.toml:2: [[folders]] #1 path: must not be empty; name a folder."
    ]


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    """Missing, a folder, not UTF-8: each is said without a traceback."""
    (tmp_path / "latin.toml").write_bytes(b"a = 1\nb = '\xff'\n")
    for name, expected in (
        ("none.toml", "No such file"),
        (".", "directory"),
        ("latin.toml", ":2: is not UTF-8"),
    ):
        with pytest.raises(ConfigurationError, match=expected):
            load(tmp_path / name)


def test_a_file_of_a_windows_editor_is_read(tmp_path):
    """It begins with a mark that nobody sees, and its lines end in two characters."""
    path = tmp_path / "config.toml"
    path.write_text('[platform]\nclient_id = "me"\n', encoding="utf-8-sig", newline="\r\n")
    assert load(path, need_folders=False).platform.client_id == "me"


def test_no_folder_at_all_is_refused_unless_none_is_needed(write):
    """The daemon needs one, `push` does not."""
    path = write('[platform]\nclient_id = "me"\n')
    assert complaints(path) == [
        "config.toml:1: folders: there is no drop folder. Add one with a path and a project_id."
    ]
    assert load(path, need_folders=False).platform.client_id == "me"


def test_relative_paths_start_at_the_file(write, tmp_path):
    """So that a configuration means the same whatever folder the command is called in."""
    settings = load(write('state_dir = "state"\n[[folders]]\npath = "drop/../in"\nproject_id = "p"\n'))
    assert settings.state_dir == tmp_path / "state"
    assert settings.folders[0].path == tmp_path / "in"


def test_the_state_directory_of_a_file_that_is_wrong_elsewhere_is_known(write, tmp_path):
    """A daemon that runs there is asked all the same; where the file does not name one readably, nobody is."""
    assert load_state_dir(write('state_dir = "s"\nwrong = 1\n')).state_dir == tmp_path / "s"
    assert load_state_dir(write("wrong = 1\n")).state_dir == Settings.model_fields["state_dir"].default
    assert load_state_dir(write("state_dir = [")) is None
    assert load_state_dir(write("state_dir = 7\n")) is None
    assert load_state_dir(tmp_path / "none.toml") is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://[::1]:1", "http://localhost/", "https://x.example/api/"]
)
def test_plain_http_is_for_this_machine_only(write, url):
    """A sandbox on loopback needs no certificate; a final slash makes no difference."""
    assert load(write(f'[platform]\nbase_url = "{url}"\n' + FOLDER)).platform.base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "https://",
        "https://u:p@h/",
        "http://[",
        "https://x:port",
        "https://x:99999",
    ],
)
def test_other_addresses_are_refused(write, url):
    """A key must not travel in the clear, nor stand in the address."""
    assert "[platform] base_url" in complaints(write(f'[platform]\nbase_url = "{url}"\n' + FOLDER))[0]


def test_settings_that_are_built_in_code_obey_the_same_rules(tmp_path):
    """`demo` and `push` build theirs without a file."""
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Settings(platform=PlatformSection(base_url="http://example.com"))
    folder = Folder(path=tmp_path, project_id="p")
    with pytest.raises(ConfigurationError, match="lies inside"):
        Settings(state_dir=tmp_path / "state", folders=(folder,))


def test_a_timetable_may_be_text_or_a_list(write):
    """Both forms mean the same."""
    one = load(write(FOLDER + '[transfer]\nbandwidth_limit = "08:00 1MB/s, 18:00 off"\n'))
    two = load(write(FOLDER + '[transfer]\nbandwidth_limit = [\n  "08:00 1MB/s", # day\n  "18:00 off",\n]\n'))
    assert one.transfer.bandwidth_limit == two.transfer.bandwidth_limit
    assert len(one.transfer.bandwidth_limit) == 14


def test_the_file_is_looked_for_in_order(monkeypatch, tmp_path):
    """-c, then the variable, then the current folder, then the user's; else all places are named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("uploader.config.locations.SYSTEM_FILE", tmp_path / "system.toml")
    with pytest.raises(ConfigurationError, match=r"config\.toml.*system\.toml"):
        find(None)
    users = tmp_path / "home" / "uploader" / "config.toml"
    users.parent.mkdir(parents=True)
    users.touch()
    assert find(None) == users
    (tmp_path / "config.toml").touch()
    assert find(None) == Path("config.toml")
    monkeypatch.setenv("UPLOADER_CONFIG", "named.toml")
    assert find(None) == Path("named.toml")
    assert find("option.toml") == Path("option.toml")


def test_who_is_told_is_read_and_never_quoted(write):
    """An address may be a secret as a whole; a command is a program by its whole path, and no line for a shell."""
    settings = load(
        write(
            FOLDER + '[notify]\nwebhook = "https://chat.example/hook/s3cret?sig=x"\n'
            'command = ["/usr/bin/logger", "-t", ""]\nstalled_after = "90s"\nrepeat_every = "1d"\n'
        )
    )
    assert settings.notify.webhook.reveal() == "https://chat.example/hook/s3cret?sig=x"
    assert "s3cret" not in repr(settings)
    assert settings.notify.command == ("/usr/bin/logger", "-t", "")
    assert (settings.notify.stalled_after, settings.notify.repeat_every) == (90.0, 86400.0)
    assert settings.notify.stalled_after == 90.0

    wrong = complaints(
        write(
            FOLDER + '[notify]\nwebhook = "http://chat.example/s3cret"\nheartbeat = "s3cret"\n'
            'command = ["logger -t x"]\nstalled_after = "soon"\nrepeat_every = 5\nwebhok = ""\n'
        )
    )
    assert "s3cret" not in "".join(wrong)
    assert [line.split(": ")[1] for line in wrong] == [
        "[notify] webhook",
        "[notify] heartbeat",
        "[notify] command",
        "[notify] stalled_after",
        "[notify] webhok",
    ]
    assert "Did you mean webhook?" in wrong[-1]


@pytest.mark.parametrize("policy", ["keep", "delete"])
def test_receipts_lie_beside_archived_sources_only(write, policy):
    """A folder that archives none is told so, and where all receipts are."""
    with pytest.raises(
        ConfigurationError, match=r'receipts: are laid beside archived.*"archive".*uploader items'
    ):
        load(write(f'{FOLDER}after_upload = "{policy}"\nreceipts = true\n'))

    kept = load(write(f'{FOLDER}after_upload = "archive"\narchive_dir = "/srv/done"\nreceipts = true\n'))
    assert [one.receipts for one in kept.destinations().values()] == [True]
