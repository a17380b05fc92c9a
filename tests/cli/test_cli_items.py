"""items: what became of each file, for people, scripts, spreadsheets and catalogues."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import pystac
import pytest

from tests.support.receipts import remember
from uploader import cli

pytestmark = pytest.mark.unit


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose journal holds six receipts: two of one item, one of a file without an item."""
    path = tmp_path / "config.toml"
    path.write_text('state_dir = "state"\n[[folders]]\npath = "drop"\nproject_id = "p-1"\n')
    (tmp_path / "drop").mkdir()
    now = time.time()
    remember(
        tmp_path / "state",
        [
            {
                "path": b"a.tif",
                "item_id": "it-1",
                "asset_key": "B04",
                "warnings": '[{"code":"no_crs","text":"None."}]',
            },
            {"path": b"sub/b\xff\n.tif", "item_id": "it-2", "folder": "/srv/other"},
            {
                "path": b"c.tif",
                "item_id": "it-1",
                "asset_key": "B08",
                "project_id": "p-2",
                "completed_at": now - 60,
            },
            {
                "path": b'=HYPERLINK("x"),1.tif',
                "item_id": "it-3",
                "folder": "",
                "declared": '{"crs":"EPSG:25832"}',
            },
            {"path": b"e.tif", "item_id": None, "state": "disposed", "completed_at": now - 30},
            {
                **dict.fromkeys(("source_sha256", "object_sha256", "comparison", "converted_at")),
                "path": b"f.tif",
                "item_id": "it-4",
                "facts": "{}",
            },
        ],
    )
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command prints."""
    assert cli.execute(["items", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def paths(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """Of which files it tells, as JSON lines."""
    return [json.loads(line)["path"] for line in told(capsys, "--json", *arguments).splitlines()]


def test_people_get_a_line_for_each_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Time, item and path; what a terminal would act upon is spelled out."""
    found = told(capsys, "-c", config).splitlines()

    assert len(found) == 6
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \S+  it-1 +/srv/drop/a\.tif", found[0])
    assert any(line.endswith(r"/srv/other/sub/b\xff\n.tif") for line in found)
    assert any("(not known)" in line for line in found)


def test_json_lines_keep_each_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, in ASCII; bytes that are no UTF-8 come back as they were."""
    text = told(capsys, "-c", config, "--json")

    assert text.isascii()
    found = [json.loads(line) for line in text.splitlines()]
    assert found[1]["path"].encode("utf-8", "surrogateescape") == b"/srv/other/sub/b\xff\n.tif"
    assert found[0]["warnings"] == [{"code": "no_crs", "text": "None."}]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--folder", "/srv/other"], [b"b\xff\n.tif"]),
        (["--folder", "/srv/other/"], [b"b\xff\n.tif"]),
        (["--project", "p-2"], [b"c.tif"]),
        (["--state", "disposed"], [b"e.tif"]),
        (["--since", "1h"], [b"c.tif", b"e.tif"]),
        (["--since", "45s", "--state", "disposed"], [b"e.tif"]),
        (["--since", "2100-01-01"], []),
    ],
)
def test_what_is_asked_for_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], options: list[str], names: list[bytes]
) -> None:
    """By folder, project, state and time."""
    found = paths(capsys, "-c", config, *options)

    assert [Path(path).name.encode("utf-8", "surrogateescape") for path in found] == names


def test_a_wrong_moment_is_wrong_usage(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to write."""
    assert cli.execute(["items", "-c", str(config), "--since", "recently"]) == 2
    assert "write for example 2h, 7d" in capsys.readouterr().err


def test_a_table_is_read_back_as_it_was(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By RFC 4180: CR LF ends a line, quotes are doubled, and no cell begins like a formula."""
    text = told(capsys, "-c", config, "--csv")

    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert text.count("\r\n") == 7
    assert len(rows) == 6
    assert [row["path"] for row in rows][:2] == ["/srv/drop/a.tif", r"/srv/other/sub/b\xff" + "\n.tif"]
    assert rows[0]["warnings"] == "no_crs"
    assert (rows[0]["source_sha256"], rows[0]["object_size"]) == ("73" * 32, "12")
    assert {row["declared"] for row in rows} == {"", "crs=EPSG:25832"}


@pytest.mark.parametrize("name", ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A name by which somebody else's spreadsheet would compute or call begins with an apostrophe."""
    path = tmp_path / "config.toml"
    path.write_text('state_dir = "state"\n[[folders]]\npath = "drop"\nproject_id = "p-1"\n')
    (tmp_path / "drop").mkdir()
    remember(tmp_path / "state", [{"item_id": name, "collection_id": name, "file_name": name}])

    (row,) = csv.DictReader(io.StringIO(told(capsys, "-c", path, "--csv"), newline=""), strict=True)

    assert {row["item_id"], row["collection_id"], row["file_name"]} == {f"'{name}"}


def test_stac_is_an_item_collection_that_pystac_takes(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files of one item are its assets; checksums are multihashes of what was uploaded."""
    text = told(capsys, "-c", config, "--stac")

    found = json.loads(text)
    assert pystac.ItemCollection.is_item_collection(found)
    items = {item.id: item for item in pystac.ItemCollection.from_dict(found)}
    assert list(items) == ["it-1", "it-2", "it-3", "it-4", "a-000000000001.tif"]
    for feature in found["features"]:
        pystac.Item.from_dict({**feature, "stac_extensions": []}).validate()
    first = items["it-1"]
    assert list(first.assets) == ["B04", "B08"]
    data = first.assets["B04"].extra_fields
    assert data["file:checksum"] == "1220" + "6f" * 32
    assert data["uploader:source_sha256"] == "73" * 32
    assert (data["proj:code"], data["proj:shape"]) == ("EPSG:4326", [4, 5])
    assert first.get_single_link("canonical").href == (
        "https://api.geopera.com/v1/op/items.get_stac?item_id=it-1"
    )
    assert "file:checksum" not in items["it-4"].assets["data"].extra_fields


def test_a_journal_without_receipts_gives_valid_empty_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty collection and a table of one line."""
    path = tmp_path / "config.toml"
    path.write_text('state_dir = "state"\n[[folders]]\npath = "drop"\nproject_id = "p-1"\n')
    (tmp_path / "drop").mkdir()
    remember(tmp_path / "state", [])

    collection: dict[str, Any] = json.loads(told(capsys, "-c", path, "--stac"))
    assert collection == {"type": "FeatureCollection", "features": []}
    assert told(capsys, "-c", path, "--csv").count("\r\n") == 1
    assert told(capsys, "-c", path, "--json") == ""
