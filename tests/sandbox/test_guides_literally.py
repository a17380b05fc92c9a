"""Both public guides, request by request, with curl: as printed where somebody has them, as restated here always."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import seeds
from uploader.sandbox.operations import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.seeds import Printed
    from tests.support.wire import Wire

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed"),
]

UPLOAD_GUIDE, QUICKSTART = "uploads.initiate reserves", "Quickstart\n"
"""What only one of the guides contains."""
SITE = "https://api.geopera.com"
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[151.1, -33.9], [151.2, -33.9], [151.2, -33.8], [151.1, -33.8], [151.1, -33.9]]],
}
UPLOADING = """
curl -X POST https://api.geopera.com/v1/op/uploads.initiate -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -d '{"project_id": "PROJECT", "file_count": 1, "total_bytes": 4096}'{"id": "u"}
curl -X POST https://api.geopera.com/v1/uploads/signed_url -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"upload_id": "SESSION", "file_name": "a.tif", "content_type": "image/tiff"}'{"upload_url": "", "object_path": ""}
curl -X PUT -H "Content-Type: image/tiff" --upload-file ./a.tif "SIGNED"
curl -X POST https://api.geopera.com/v1/op/uploads.progress -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -d '{"upload_id": "SESSION", "bytes_uploaded": 7}'{"id": "u"}
curl -X POST https://api.geopera.com/v1/op/uploads.complete -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -d '{"upload_id": "SESSION"}'{"id": "u", "item_ids": ["it"]}
"""
ORDERING = """
curl -X POST https://api.geopera.com/realms/public/protocol/openid-connect/token -d grant_type=client_credentials \\
  -d client_id=geopera -d client_secret="$GEOPERA_API_KEY"{"access_token": "", "expires_in": 300, "refresh_token": ""}
curl https://api.geopera.com/v1/catalog/search -H "Authorization: Bearer $TOKEN" \\
  -G -d host_name=HOST -d bbox=151.1,-33.9,151.2,-33.8 -d limit=3{"type": "FeatureCollection", "features": [{"id": ""}]}
curl -X POST https://api.geopera.com/v1/orders/archive/estimate -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -d '{"captures": [{"id": "SCENE", "host": "HOST"}]}'{"total_credits": 1}
curl -X POST https://api.geopera.com/v1/op/orders.archive.place -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -H "Idempotency-Key: ONCE" \\
  -d '{"projectId": "PROJECT", "captures": [{"id": "SCENE", "host": "HOST"}]}'{"id": "", "totalCredits": 1}
curl https://api.geopera.com/v1/orders/get -H "Authorization: Bearer $TOKEN" -G -d order_id=ORDER{"status": ""}
"""


class Reader:
    """Somebody who types what a guide prints, with their own values in the places of the made-up ones."""

    def __init__(self, wire: Wire, cwd: Path) -> None:
        self.cwd = cwd
        self.values = {SITE: wire.box.base_url}
        self.env = {"GEOPERA_API_KEY": wire.box.api_key}
        self.typed: set[str] = set()

    def type(self, printed: Printed) -> Any:
        """Run one request; it must succeed, and answer in the shape that is printed."""
        self.typed.add(printed.command)
        status, body = seeds.run(printed.command, self.values, cwd=self.cwd, env=self.env)
        assert status in (200, 202), (printed.command, status, body)
        if printed.answer is not None:
            assert seeds.differences(printed.answer, body) == []
        return body

    def log_in(self, printed: Printed) -> None:
        """Run the request for a token, and export it."""
        self.env["TOKEN"] = self.type(printed)["access_token"]


@pytest.fixture
def quick(open_wire: Callable[..., Wire]) -> Wire:
    """A sandbox that delivers fast."""
    return open_wire(delivery_after=0.1)


@pytest.fixture
def reader(quick: Wire, tmp_path: Path) -> Reader:
    """A reader in front of it."""
    return Reader(quick, tmp_path)


def test_requests_are_found_in_a_text_without_borders() -> None:
    """A command ends at its last quote even where prose follows it at once, and the answer is what stands there."""
    text = 'curl -d \'a b\' \\\n "x"{"id": 1}Inputs: y\ncurl -X PUT "u"For more\ncurl -s z\nend'
    found = [(one.command, one.answer) for one in seeds.requests(text)]

    assert found == [
        ("curl -d 'a b' \\\n \"x\"", {"id": 1}),
        ('curl -X PUT "u"', None),
        ("curl -s z", None),
    ]


def test_differences_of_shape_are_seen() -> None:
    """A missing member, a value of another kind and an empty list are told; further members are not."""
    printed = {"id": "u", "n": 4200, "money": 42.0, "groups": [{"...": "any"}], "tags": ["x"]}
    good = {"id": "v", "n": 1, "money": 7, "groups": [{}], "tags": ["y", "z"], "more": None}

    assert seeds.differences(printed, good) == []
    assert len(seeds.differences(printed, {"id": 1, "n": 1.5, "groups": [], "tags": [3]})) == 5


@pytest.mark.parametrize(
    ("mark", "answers"),
    [(UPLOAD_GUIDE, [True, True, False, True, False]), (QUICKSTART, [True, False, True, True, False])],
)
def test_no_printed_request_is_overlooked(mark: str, answers: list[bool]) -> None:
    """Every `curl` of a guide is one of the five that its test types, with the answers that stand there."""
    found, text = seeds.guide(mark), seeds.text(mark)
    operations = set(re.findall(r"\b(?:uploads|items|orders|catalog|api_keys)\.[a-z_]+(?:\.[a-z_]+)*", text))

    assert len(found) == text.count("curl ") == len(re.findall(r"\bcurl\b", text)) == 5
    assert [one.answer is not None for one in found] == answers
    assert operations <= TABLE.keys()
    assert len(operations) >= 5


def test_the_upload_guide_as_printed(reader: Reader, quick: Wire, raster: bytes) -> None:
    """Initiate, URL, PUT, complete, and fail on a further session: literally."""
    guide = seeds.guide(UPLOAD_GUIDE)
    initiate, signed_url, put, complete, fail = guide
    collection = quick.ok("collections.create", project_id="p-1", name="Harbour")["id"]
    (reader.cwd / "harbour_2024.tif").write_bytes(raster)
    reader.env["TOKEN"] = quick.box.api_key
    reader.values |= {"your-project-id": "p-1", "optional-collection-id": collection}
    session = reader.type(initiate)["id"]
    reader.values["u_8f12..."] = session
    minted = reader.type(signed_url)
    reader.values["<upload_url>"] = minted["upload_url"]
    reader.type(put)
    done = reader.type(complete)
    reader.values["u_8f12..."] = reader.type(initiate)["id"]
    reader.type(fail)
    item = quick.ok("items.get", item_id=done["item_ids"][0])["item"]

    assert minted["object_path"] == f"uploads/{session}/harbour_2024.tif"
    assert (done["id"], item["collection_id"]) == (session, collection)
    assert quick.box.state()["reserved_bytes"] == 0
    assert reader.typed == {one.command for one in guide}


def test_the_quickstart_as_printed(reader: Reader, quick: Wire) -> None:
    """Token, search, estimate, place with its key, and the order until it is delivered: literally."""
    guide = seeds.guide(QUICKSTART)
    token, search, estimate, place, track = guide
    reader.log_in(token)
    found = reader.type(search)
    scene = quick.ok("catalog.search", host_name="harbour-archive", intersects=SQUARE)["features"][0]["id"]
    reader.values |= {
        "scene-abc": scene,
        '"host": "..."': '"host": "harbour-archive"',
        "your-project-id": "p-1",
        "9d1f...-your-unique-key": str(uuid.uuid4()),
    }
    priced = reader.type(estimate)
    order = reader.type(place)
    again = reader.type(place)
    reader.values["f2b1c0de-..."] = order["id"]
    time.sleep(0.2)
    delivered = reader.type(track)
    (item_id,) = delivered["itemIds"]
    graph = quick.ok("provenance.get", entity_type="item", entity_id=item_id)

    assert found["type"] == "FeatureCollection"
    assert len(found["features"]) == 10
    assert (order["totalCredits"], order["totalAud"]) == (priced["total_credits"], priced["total_aud"])
    assert (again, order["status"], delivered["status"]) == (order, "processing", "delivered")
    assert reader.typed == {one.command for one in guide}
    assert ("order", order["id"]) in {(edge["dst_type"], edge["dst_id"]) for edge in graph["edges"]}


def test_the_upload_guide_restated(reader: Reader, quick: Wire, raster: bytes) -> None:
    """The same steps in other words, over both families of paths."""
    initiate, signed_url, put, progress, complete = seeds.requests(UPLOADING)
    (reader.cwd / "a.tif").write_bytes(raster)
    reader.env["TOKEN"] = quick.box.api_key
    reader.values["PROJECT"] = "p-1"
    reader.values["SESSION"] = reader.type(initiate)["id"]
    reader.values["SIGNED"] = reader.type(signed_url)["upload_url"]
    reader.type(put)
    reader.type(progress)

    assert len(reader.type(complete)["item_ids"]) == 1


def test_the_quickstart_restated(reader: Reader, quick: Wire) -> None:
    """The same steps in other words: GET on reads, paths of resources, a whole capture instead of a parcel."""
    token, search, estimate, place, track = seeds.requests(ORDERING)
    reader.log_in(token)
    reader.values |= {"HOST": "harbour-archive", "PROJECT": "p-1", "ONCE": str(uuid.uuid4())}
    reader.values["SCENE"] = reader.type(search)["features"][0]["id"]
    priced = reader.type(estimate)
    order = reader.type(place)
    reader.values["ORDER"] = order["id"]
    time.sleep(0.2)

    assert order["totalCredits"] == priced["total_credits"]
    assert reader.type(track)["status"] == "delivered"
