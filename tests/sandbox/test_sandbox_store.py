"""The object store: signatures are checked for real, objects are whole or absent."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import google_crc32c
import pytest

from tests.support.audit import audit, problems
from uploader.sandbox.errors import StoreRefusal
from uploader.sandbox.signing import Signer
from uploader.sandbox.world import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit


SIGNER = Signer(b"secret", "me", "http://h:1")
TYPED = {"content-type": "image/tiff"}


def _verify(url: str, method: str = "PUT", now: float = 1000, **headers: str) -> None:
    parts = urlsplit(url)
    given = {"host": "h:1", **TYPED, **{name.replace("_", "-"): value for name, value in headers.items()}}
    SIGNER.verify(method, parts.path, parts.query, given, now)


@pytest.mark.parametrize(
    ("change", "method", "now", "headers", "code"),
    [
        (("", ""), "GET", 1000, {}, "SignatureDoesNotMatch"),
        (("/a%20b", "/c"), "PUT", 1000, {}, "SignatureDoesNotMatch"),
        (("Expires=300", "Expires=900"), "PUT", 1000, {}, "SignatureDoesNotMatch"),
        (("", ""), "PUT", 1000, {"content_type": "image/png"}, "SignatureDoesNotMatch"),
        (("", ""), "PUT", 1000, {"host": "evil:1"}, "SignatureDoesNotMatch"),
        (("X-Goog-Signature=", "X-Goog-Signature=0"), "PUT", 1000, {}, "SignatureDoesNotMatch"),
        (("", ""), "PUT", 1300, {}, "ExpiredToken"),
        (("", ""), "PUT", 10, {}, "RequestTimeTooSkewed"),
        (("", ""), "PUT", 1000, {"authorization": "Bearer x"}, "InvalidArgument"),
        (("", ""), "PUT", 1000, {"x_goog_hash": "md5=AA=="}, "MalformedSecurityHeader"),
        (("X-Goog-Date=", "Date="), "PUT", 1000, {}, "InvalidArgument"),
        (("GOOG4-HMAC", "GOOG4-NONE"), "PUT", 1000, {}, "InvalidArgument"),
    ],
)
def test_a_changed_request_is_refused(
    change: tuple[str, str], method: str, now: float, headers: dict[str, str], code: str
) -> None:
    """Anything that differs from what was signed has its own refusal."""
    url = SIGNER.url("PUT", "/x/a b", at=1000, life=300, headers=TYPED).replace(*change)
    with pytest.raises(StoreRefusal) as caught:
        _verify(url, method, now, **headers)

    assert code == caught.value.code


def test_a_request_as_signed_passes() -> None:
    """The untouched request passes until its last second, also with a name that needs quoting."""
    url = SIGNER.url("PUT", "/x/ä b+%.tif", at=1000, life=300, headers=TYPED)
    _verify(url, now=1299)

    assert parse_qs(urlsplit(url).query)["X-Goog-Algorithm"][0] == "GOOG4-HMAC-SHA256"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer gpra_secret"}, 400, "InvalidArgument"),
        ({"Content-Type": "image/png"}, 403, "SignatureDoesNotMatch"),
        ({"x-goog-meta-a": "b"}, 400, "MalformedSecurityHeader"),
        ({"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, 400, "BadDigest"),
    ],
)
def test_refusals_store_nothing(
    wire: Wire, tmp_path: Path, headers: dict[str, str], status: int, code: str
) -> None:
    """A refused PUT answers with XML, leaves no object, and its Authorization header is on record."""
    upload_id = wire.initiate()
    response = wire.bare.put(
        wire.url(upload_id, "a.tif"), content=b"abc", headers={"Content-Type": "image/tiff", **headers}
    )
    found = audit(tmp_path / "root")

    assert status == response.status_code
    assert f"<Code>{code}</Code>" in response.text
    assert ((), "Authorization" in headers) == (found.objects, found.calls("store.put")[0].had_authorization)


def test_a_body_without_length_is_refused(shared: Wire) -> None:
    """The length must be known before the bytes."""
    response = shared.bare.put(
        shared.url(shared.initiate(), "a.tif"), content=iter([b"abc"]), headers={"Content-Type": "image/tiff"}
    )

    assert response.status_code == 411


def test_urls_expire(open_wire: Callable[..., Wire]) -> None:
    """After its life a URL is refused as Google refuses it."""
    wire = open_wire(url_life=1)
    url = wire.url(wire.initiate(), "a.tif")
    time.sleep(1.05)
    response = wire.put(url, b"abc")

    assert (response.status_code, "<Code>ExpiredToken</Code>" in response.text) == (400, True)


def test_a_cut_upload_leaves_nothing(wire: Wire, tmp_path: Path) -> None:
    """When the client goes away in the middle there is no object, and the older one stays."""
    upload_id = wire.initiate()
    wire.store(upload_id, "a.tif", b"old")
    parts = urlsplit(wire.url(upload_id, "a.tif"))
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        raw.sendall(f"{head}Content-Type: image/tiff\r\nContent-Length: 1000\r\n\r\n".encode() + b"x" * 500)
    deadline = time.monotonic() + 60
    while len(audit(tmp_path / "root").calls("store.put")) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    found = audit(tmp_path / "root")
    call = found.calls("store.put")[1]

    assert [hashlib.md5(b"old").hexdigest()] == [one.real_md5 for one in found.objects]
    assert (call.status, call.sent, call.committed) == (None, False, False)
    assert list((tmp_path / "root" / "objects" / "incoming").iterdir()) == []


def test_a_put_answers_with_both_hashes(shared: Wire) -> None:
    """200, no body, and the headers that clients compare with."""
    content = bytes(range(256)) * 4096
    response = shared.put(shared.url(shared.initiate(), "a.tif"), content)
    crc = base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()
    md5 = hashlib.md5(content)

    assert (response.status_code, response.content) == (200, b"")
    assert f"crc32c={crc},md5={base64.b64encode(md5.digest()).decode()}" == response.headers["x-goog-hash"]
    assert f'"{md5.hexdigest()}"' == response.headers["etag"]
    assert str(len(content)) == response.headers["x-goog-stored-content-length"]
    assert int(response.headers["x-goog-generation"]) > 0


@pytest.mark.parametrize(("sent", "status"), [(b"abc", 200), (b"abd", 400)])
def test_a_signed_hash_is_checked(wire: Wire, tmp_path: Path, sent: bytes, status: int) -> None:
    """Where the URL signs x-goog-hash, other bytes are refused and not stored."""
    md5 = base64.b64encode(hashlib.md5(b"abc").digest()).decode()
    headers = {"content-type": "image/tiff", "x-goog-hash": f"md5={md5}"}
    path = f"{BUCKET}uploads/{wire.initiate()}/a.tif"
    url = wire.box.world.signer.url("PUT", path, at=time.time(), life=60, headers=headers)

    assert status == wire.bare.put(url, content=sent, headers=headers).status_code
    assert (status == 200) == bool(audit(tmp_path / "root").objects)


@pytest.mark.parametrize(
    ("promised", "status"),
    [
        (hashlib.sha256(b"abc").hexdigest(), 200),
        (hashlib.sha256(b"abd").hexdigest(), 400),
        ("UNSIGNED-PAYLOAD", 200),
    ],
)
def test_a_signed_payload_is_checked(wire: Wire, tmp_path: Path, promised: str, status: int) -> None:
    """Where the URL signs x-goog-content-sha256, the body must have that hash; unsigned it is refused as it is."""
    headers = {"content-type": "image/tiff", "x-goog-content-sha256": promised}
    path = f"{BUCKET}uploads/{wire.initiate()}/a.tif"
    url = wire.box.world.signer.url("PUT", path, at=time.time(), life=60, headers=headers)
    changed = wire.bare.put(url, content=b"abc", headers={**headers, "x-goog-content-sha256": "0" * 64})

    assert (changed.status_code, "SignatureDoesNotMatch" in changed.text) == (403, True)
    assert status == wire.bare.put(url, content=b"abc", headers=headers).status_code
    assert (status == 200) == bool(audit(tmp_path / "root").objects)


def test_create_once_is_honoured_when_signed(shared: Wire) -> None:
    """A signed x-goog-if-generation-match of 0 lets the first PUT pass and refuses the second with 412."""
    headers = {"content-type": "image/tiff", "x-goog-if-generation-match": "0"}
    path = f"{BUCKET}uploads/{shared.initiate()}/a.tif"
    url = shared.box.world.signer.url("PUT", path, at=time.time(), life=60, headers=headers)

    assert [shared.bare.put(url, content=b"a", headers=headers).status_code for _ in range(2)] == [200, 412]


def test_a_late_put_shows_in_the_audit(wire: Wire, tmp_path: Path) -> None:
    """As with the real store, a URL works after complete too: the item's bytes change, and the audit says so."""
    upload_id = wire.initiate()
    url = wire.url(upload_id, "a.tif")
    wire.put(url, b"first")
    wire.ok("uploads.complete", upload_id=upload_id)
    before = problems(audit(tmp_path / "root"))
    wire.put(url, b"other")

    assert before == []
    assert len(problems(audit(tmp_path / "root"))) == 2


def test_assets_can_be_read_back(shared: Wire) -> None:
    """The signed URL of an asset gives its bytes, whole and in ranges, and nothing else."""
    _, (item_id,) = shared.upload({"ü #1.tif": b"0123456789"})
    (asset,) = shared.ok("items.list_assets", item_id=item_id)["assets"]
    url = shared.ok("items.asset.download", item_id=item_id, asset_id=asset["id"])["url"]

    assert shared.bare.get(url).content == b"0123456789"
    assert (
        (part := shared.bare.get(url, headers={"Range": "bytes=2-4"})).status_code,
        part.content,
    ) == (206, b"234")
    assert shared.bare.get(url.replace("%231", "2")).status_code == 403
    assert shared.bare.get(asset["href"]).status_code == 401
    assert shared.post("items.asset.download", item_id=item_id, asset_id="as_none").status_code == 404


def test_the_store_is_another_origin(shared: Wire) -> None:
    """Neither socket serves what belongs to the other."""
    parts = urlsplit(shared.url(shared.initiate(), "a.tif"))
    swapped = f"{shared.box.base_url}{parts.path}?{parts.query}"

    assert shared.box.base_url != shared.box.store_url == f"{parts.scheme}://{parts.netloc}"
    assert shared.put(swapped, b"a").status_code == 404
    assert shared.bare.post(f"{shared.box.store_url}/v1/op/items.list", json={}).status_code == 405
