"""The platform's own clients, unchanged, and plain curl: they work here as they do there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit import audit, problems
from tests.support.official import command, environment
from tests.support.wire import TOKEN

geopera = pytest.importorskip("geopera")

from geopera.api.operations import (  # noqa: E402  after the check that it is there
    uploads_complete,
    uploads_fail,
    uploads_initiate,
    uploads_progress,
    uploads_signed_url,
)
from geopera.models import (  # noqa: E402  as above
    SignedUrlInput,
    UploadFailInput,
    UploadInitiate,
    UploadProgressInput,
    UploadsCompleteBodyType0,
)

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit


def curl(*arguments: str) -> tuple[int, str]:
    """Run curl; gives the status and the body."""
    command = ["curl", "-s", "--max-time", "20", "-w", "\n%{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def reservation(raster: bytes) -> UploadInitiate:
    """The body of the guide's first step."""
    fields = {"project_id": "p-1", "file_count": 1, "total_bytes": len(raster)}
    return UploadInitiate.from_dict({**fields, "transfer_method": "signed_url"})


def wish(upload_id: str) -> SignedUrlInput:
    """The body of its second step."""
    return SignedUrlInput(upload_id=upload_id, file_name="harbour_2024.tif", content_type="image/tiff")


def test_the_sdk_sees_a_refusal_as_a_problem(wire: Wire) -> None:
    """A wrong key reaches the SDK's caller as its Problem model."""
    client = geopera.Geopera(token="gpra_wrong", base_url=wire.box.base_url)
    answer = client.uploads.initiate({"project_id": "p-1"})

    assert (type(answer).__name__, answer.status) == ("Problem", 401)


def test_the_sdk_walks_the_five_steps(wire: Wire, tmp_path: Path, raster: bytes) -> None:
    """Initiate, URL, PUT, progress, complete with the SDK; then the reads, and fail on another session."""
    client = geopera.Geopera(token=wire.box.api_key, base_url=wire.box.base_url)
    session = client.uploads.initiate(
        {"project_id": "p-1", "total_bytes": len(raster), "transfer_method": "signed_url"}
    )
    minted = client.uploads.signed_url(
        {"upload_id": session.id, "file_name": "h.tif", "content_type": "image/tiff"}
    )
    assert wire.put(minted.upload_url, raster).status_code == 200
    noted = client.uploads.progress({"upload_id": session.id, "bytes_uploaded": len(raster)})
    done = client.uploads.complete({"upload_id": session.id}, detailed=True)
    (item_id,) = json.loads(done.content)["item_ids"]
    item = client.items.get({"item_id": item_id}).item
    found = client.items.search({"project_id": "p-1", "bbox": [14.0, 45.0, 16.0, 46.0]})
    graph = client.provenance.get({"entity_type": "item", "entity_id": item_id})
    other = client.uploads.initiate({"project_id": "p-1", "total_bytes": 9})
    client.uploads.fail({"upload_id": other.id, "error_message": "changed my mind", "error_step": "transfer"})

    assert (noted.id, item["upload_id"], item["name"]) == (session.id, session.id, "h.tif")
    assert (found.number_matched, len(graph.edges)) == (1, 1)
    assert problems(audit(tmp_path / "root")) == []


def test_the_generated_client_walks_the_five_steps(wire: Wire, tmp_path: Path, raster: bytes) -> None:
    """The guide with the SDK's modules and their typed bodies and answers, in turn; the abandoning too."""
    client = geopera.AuthenticatedClient(base_url=wire.box.base_url, token=wire.box.api_key)
    session = uploads_initiate.sync(client=client, body=reservation(raster))
    minted = uploads_signed_url.sync(client=client, body=wish(session.id))
    stored = wire.put(minted.upload_url, raster)
    noted = uploads_progress.sync(client=client, body=UploadProgressInput(session.id, bytes_uploaded=9))
    body = UploadsCompleteBodyType0.from_dict({"upload_id": session.id})
    done = uploads_complete.sync_detailed(client=client, body=body)
    other = uploads_initiate.sync(client=client, body=reservation(raster))
    failed = uploads_fail.sync_detailed(client=client, body=UploadFailInput(other.id, "client aborted"))

    assert (stored.status_code, int(done.status_code), int(failed.status_code)) == (200, 200, 200)
    assert (noted.id, done.parsed["id"], len(done.parsed["item_ids"])) == (session.id, session.id, 1)
    assert minted.object_path == f"uploads/{session.id}/harbour_2024.tif"
    assert problems(audit(tmp_path / "root")) == []


@pytest.mark.anyio
async def test_the_asynchronous_client_walks_the_five_steps(
    wire: Wire, tmp_path: Path, raster: bytes
) -> None:
    """The same without waiting."""
    async with geopera.AuthenticatedClient(base_url=wire.box.base_url, token=wire.box.api_key) as client:
        session = await uploads_initiate.asyncio(client=client, body=reservation(raster))
        minted = await uploads_signed_url.asyncio(client=client, body=wish(session.id))
        stored = wire.put(minted.upload_url, raster)
        body = UploadProgressInput(session.id, bytes_uploaded=len(raster))
        noted = await uploads_progress.asyncio(client=client, body=body)
        body = UploadsCompleteBodyType0.from_dict({"upload_id": session.id})
        done = await uploads_complete.asyncio(client=client, body=body)
        other = await uploads_initiate.asyncio(client=client, body=reservation(raster))
        failed = await uploads_fail.asyncio(client=client, body=UploadFailInput(other.id, "client aborted"))

    assert (stored.status_code, noted.id, failed.id) == (200, session.id, other.id)
    assert (done["id"], len(done["item_ids"])) == (session.id, 1)
    assert problems(audit(tmp_path / "root")) == []


def test_the_command_line_fails_as_there(wire: Wire) -> None:
    """A refusal, of the program as it is installed, ends with its own exit code and the detail."""
    program = [sys.executable, "-m", "geopera_cli", "uploads", "initiate", "--project-id", "p-9"]
    done = subprocess.run(program, env=environment(wire), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "project p-9 not found" in done.stderr


@needs_curl
def test_the_command_line_walks_the_five_steps(wire: Wire, tmp_path: Path, raster: bytes) -> None:
    """The official commands with a key, curl for the bytes, and a token for the last step."""
    (tmp_path / "h.tif").write_bytes(raster)
    upload_id = command(
        wire,
        "uploads",
        "initiate",
        "--project-id",
        "p-1",
        "--total-bytes",
        str(len(raster)),
        "--transfer-method",
        "cli",
    )["id"]
    url = command(
        wire,
        "uploads",
        "signed-url",
        "--upload-id",
        upload_id,
        "--file-name",
        "h.tif",
        "--content-type",
        "image/tiff",
    )["upload_url"]
    assert (
        curl("-X", "PUT", "-H", "Content-Type: image/tiff", "--upload-file", str(tmp_path / "h.tif"), url)[0]
        == 200
    )
    command(wire, "uploads", "progress", "--upload-id", upload_id, "--bytes-uploaded", str(len(raster)))
    token = wire.token(
        grant_type="client_credentials", client_id="geopera", client_secret=wire.box.api_key
    ).json()
    body = json.dumps({"upload_id": upload_id})
    done = command(wire, "uploads", "complete", "--json", body, token=token["access_token"])
    listed = command(wire, "items", "list", "--project-id", "p-1")

    assert [one["id"] for one in listed["items"]] == done["item_ids"]
    assert problems(audit(tmp_path / "root")) == []


@needs_curl
def test_the_guides_requests_work_with_curl(wire: Wire, tmp_path: Path, raster: bytes) -> None:
    """Token by form, then each step as JSON with the token, the bytes by --upload-file, and the abandoning."""
    (tmp_path / "h.tif").write_bytes(raster)
    base, form = wire.box.base_url, ["-d", "grant_type=client_credentials", "-d", "client_id=geopera"]
    status, body = curl("-X", "POST", base + TOKEN, *form, "-d", f"client_secret={wire.box.api_key}")
    assert status == 200
    bearer = f"Authorization: Bearer {json.loads(body)['access_token']}"

    def post(operation: str, **given: Any) -> Any:
        headers = ["-H", bearer, "-H", "Content-Type: application/json"]
        status, body = curl("-X", "POST", f"{base}/v1/op/{operation}", *headers, "-d", json.dumps(given))
        assert status == 200, body
        return json.loads(body)

    reserve = {
        "project_id": "p-1",
        "file_count": 1,
        "total_bytes": len(raster),
        "transfer_method": "signed_url",
    }
    upload_id = post("uploads.initiate", **reserve)["id"]
    minted = post("uploads.signed_url", upload_id=upload_id, file_name="h.tif", content_type="image/tiff")
    file = ["--upload-file", str(tmp_path / "h.tif"), minted["upload_url"]]
    wrong_type = curl("-X", "PUT", "-H", "Content-Type: image/png", *file)
    stored = curl("-X", "PUT", "-H", "Content-Type: image/tiff", *file)
    done = post("uploads.complete", upload_id=upload_id)
    abandoned = post("uploads.initiate", **reserve)["id"]
    failed = post("uploads.fail", upload_id=abandoned, error_message="client aborted", error_step="transfer")
    query = ["-G", "-H", bearer, "--data-urlencode", f"item_id={done['item_ids'][0]}"]

    assert minted["object_path"] == f"uploads/{upload_id}/h.tif"
    assert (wrong_type[0], stored, failed) == (403, (200, ""), {"id": abandoned})
    assert curl(f"{base}/v1/op/items.get", *query)[0] == 200
    assert problems(audit(tmp_path / "root")) == []


@needs_curl
def test_curl_sends_a_large_file(wire: Wire, tmp_path: Path) -> None:
    """Above a megabyte curl asks before it sends (100-continue): granted for a good URL, refused for a bad one."""
    big = tmp_path / "big.tif"
    with big.open("wb") as file:
        file.truncate(40 << 20)
    upload_id = wire.initiate(40 << 20)
    url = wire.url(upload_id, "big.tif")
    put = ["-X", "PUT", "-H", "Content-Type: image/tiff", "--upload-file", str(big)]
    refused = curl(*put, url.replace("Expires=300", "Expires=301"))
    stored = curl(*put, url)

    assert (refused[0], stored[0]) == (403, 200)
    assert audit(tmp_path / "root").objects[0].size == 40 << 20
