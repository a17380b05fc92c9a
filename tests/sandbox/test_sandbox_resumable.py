"""The store beyond a plain PUT: resumable sessions, preconditions under a race, and what Google's library signs."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support.audit import audit, problems
from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.errors import StoreRefusal
from uploader.sandbox.resumable import UNIT, Part, part_of
from uploader.sandbox.rsa import PublicKey
from uploader.sandbox.signing import Signer
from uploader.sandbox.world import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

pytestmark = pytest.mark.unit

CONTENT = os.urandom(3 * UNIT + 1000)
START = {"Content-Type": "image/tiff", "x-goog-resumable": "start"}


def opened(wire: Wire, upload_id: str, name: str = "a.tif") -> str:
    """Open a resumable session for one file; returns its URI."""
    body = {"upload_id": upload_id, "file_name": name, "content_type": "image/tiff", "resumable": True}
    url = wire.ok("uploads.signed_url", **body)["upload_url"]
    response = wire.bare.post(url, headers=START)
    assert response.status_code == 201, response.text
    return response.headers["location"]


def sent(wire: Wire, uri: str, begin: int, end: int, total: int | str = len(CONTENT)) -> httpx.Response:
    """Send a part of the content."""
    headers = {"Content-Range": f"bytes {begin}-{end - 1}/{total}"}
    return wire.bare.put(uri, content=CONTENT[begin:end], headers=headers)


def asked(wire: Wire, uri: str, total: int | str = "*") -> httpx.Response:
    """Ask how far a session is."""
    return wire.bare.put(uri, content=b"", headers={"Content-Range": f"bytes */{total}"})


def test_an_upload_in_parts_becomes_one_object(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """308 and what is received after each part, 200 after the last, 200 again when asked, and the item as usual."""
    wire = open_wire(resumable=True)
    upload_id = wire.initiate(len(CONTENT))
    uri = opened(wire, upload_id)
    nothing = asked(wire, uri)
    first = sent(wire, uri, 0, UNIT, "*")
    second = sent(wire, uri, UNIT, 3 * UNIT)
    last = sent(wire, uri, 3 * UNIT, len(CONTENT))
    again = asked(wire, uri)
    wire.ok("uploads.complete", upload_id=upload_id)
    found = audit(tmp_path / "root")

    assert [one.status_code for one in (nothing, first, second, last, again)] == [308, 308, 308, 200, 200]
    assert [one.headers.get("range") for one in (nothing, first, second)] == [
        None,
        f"bytes=0-{UNIT - 1}",
        f"bytes=0-{3 * UNIT - 1}",
    ]
    assert base64.b64encode(hashlib.md5(CONTENT).digest()).decode() in last.headers["x-goog-hash"]
    assert last.headers["x-goog-generation"] == again.headers["x-goog-generation"]
    assert problems(found) == []
    assert [one.real_md5 for one in found.items] == [hashlib.md5(CONTENT).hexdigest()]
    assert list((tmp_path / "root" / "objects" / "resumable").iterdir()) == []


@pytest.mark.parametrize(
    ("begin", "end", "total"),
    [(UNIT, 2 * UNIT, "*"), (0, 1000, "*"), (0, 1000, len(CONTENT)), (0, UNIT, 1000)],
)
def test_parts_that_cannot_be_are_refused(
    open_wire: Callable[..., Wire], begin: int, end: int, total: int | str
) -> None:
    """A gap, a part of another size than a multiple of 256 KiB, an end beyond the total: 400, nothing received."""
    wire = open_wire(resumable=True)
    uri = opened(wire, wire.initiate())

    assert sent(wire, uri, begin, end, total).status_code == 400
    assert asked(wire, uri).headers.get("range") is None


def test_bytes_that_came_twice_count_once(open_wire: Callable[..., Wire]) -> None:
    """A part that begins before what is received is taken from there on; an unknown total is told by a query."""
    wire = open_wire(resumable=True)
    uri = opened(wire, wire.initiate())
    sent(wire, uri, 0, 2 * UNIT, "*")
    sent(wire, uri, UNIT, 3 * UNIT, "*")
    done = asked(wire, uri, 3 * UNIT)

    assert done.status_code == 200
    assert base64.b64encode(hashlib.md5(CONTENT[: 3 * UNIT]).digest()).decode() in done.headers["x-goog-hash"]


def test_a_cut_part_keeps_whole_units_through_a_restart(tmp_path: Path) -> None:
    """After a connection that ended in the middle, and a restart, the session goes on from the last 256 KiB."""
    options = {"root": tmp_path, "api_key": "gpra_k", "resumable": True, "rate_limit": 0}
    with Sandbox(Options(**options)) as box, Wire(box) as wire:
        upload_id = wire.initiate(len(CONTENT))
        uri = urlsplit(opened(wire, upload_id))
        with socket.create_connection((uri.hostname, uri.port)) as raw:
            head = f"PUT {uri.path}?{uri.query} HTTP/1.1\r\nHost: {uri.netloc}\r\n"
            raw.sendall(f"{head}Content-Length: {len(CONTENT)}\r\n\r\n".encode() + CONTENT[: 2 * UNIT + 5000])
        deadline = time.monotonic() + 60
        while "range" not in (kept := asked(wire, uri.geturl())).headers and time.monotonic() < deadline:
            time.sleep(0.05)
    with Sandbox(Options(**options)) as box, Wire(box) as wire:
        moved = uri._replace(netloc=urlsplit(box.store_url).netloc).geturl()
        still = asked(wire, moved)
        assert sent(wire, moved, 2 * UNIT, len(CONTENT)).status_code == 200
        wire.ok("uploads.complete", upload_id=upload_id)

    assert kept.headers["range"] == still.headers["range"] == f"bytes=0-{2 * UNIT - 1}"
    assert [one.real_md5 for one in audit(tmp_path).items] == [hashlib.md5(CONTENT).hexdigest()]


def test_a_cancelled_session_is_gone(open_wire: Callable[..., Wire]) -> None:
    """DELETE is answered with 499; then neither a part nor a query finds it, and no object is there."""
    wire = open_wire(resumable=True)
    uri = opened(wire, wire.initiate())
    sent(wire, uri, 0, UNIT)

    assert wire.bare.delete(uri).status_code == 499
    assert [asked(wire, uri).status_code, wire.bare.delete(uri).status_code] == [404, 404]
    assert wire.box.state()["objects"] == 0


def test_a_resumable_url_is_only_for_opening(open_wire: Callable[..., Wire]) -> None:
    """It allows no PUT, and a POST only with the signed header; without the option there is no such URL."""
    wire = open_wire(resumable=True)
    body = {"upload_id": wire.initiate(), "file_name": "a", "content_type": "image/tiff", "resumable": True}
    url = wire.ok("uploads.signed_url", **body)["upload_url"]
    plain = wire.url(wire.initiate(), "b")

    assert "x-goog-resumable" in url
    assert wire.put(url, b"a").status_code == 403
    assert wire.bare.post(url, headers={"Content-Type": "image/tiff"}).status_code == 405
    assert wire.bare.post(plain, headers=START).status_code == 400
    assert asked(wire, f"{url.partition('?')[0]}?upload_id=guess").status_code == 404


def test_without_the_option_the_field_means_nothing(shared: Wire) -> None:
    """The published input has no such field, so it is ignored like any other."""
    body = {
        "upload_id": shared.initiate(),
        "file_name": "a.tif",
        "content_type": "image/tiff",
        "resumable": True,
    }

    assert shared.put(shared.ok("uploads.signed_url", **body)["upload_url"], b"a").status_code == 200


@pytest.mark.parametrize(
    ("content_range", "length", "wanted"),
    [
        (None, "10", Part(0, 10, 10)),
        ("bytes */*", "0", Part(0, 0, None, asks=True)),
        ("bytes 5-9/10", "5", Part(5, 10, 10)),
        ("bytes 5-9/10", "6", 400),
        ("bytes */10", "1", 400),
        ("items 5-9/10", "5", 400),
        ("bytes 5-9/10", None, 411),
    ],
)
def test_what_a_put_says(content_range: str | None, length: str | None, wanted: Part | int) -> None:
    """The headers alone decide what a PUT brings."""
    try:
        found: Part | int = part_of(content_range, length)
    except StoreRefusal as refusal:
        found = refusal.status

    assert found == wanted


def test_of_many_creators_one_wins(shared: Wire) -> None:
    """Eight PUTs at once, all on condition that there is no object: one 200, seven 412, and the winner's bytes."""
    headers = {"content-type": "image/tiff", "x-goog-if-generation-match": "0"}
    path = f"{BUCKET}uploads/{shared.initiate()}/a.tif"
    url = shared.box.world.signer.url("PUT", path, at=time.time(), life=60, headers=headers)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: shared.bare.put(url, content=bytes([n]) * 70_000, headers=headers), range(8))
        )
    won = [n for n, one in enumerate(answers) if one.status_code == 200]
    read = shared.box.world.signer.url("GET", path, at=time.time(), life=60, headers={})

    assert sorted(one.status_code for one in answers) == [200] + [412] * 7
    assert shared.bare.get(read).content == bytes(won) * 70_000


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Credentials of a service account with a throw-away key, and the file of its public key."""
    pytest.importorskip("google.cloud.storage")
    from cryptography.hazmat.primitives import serialization as forms  # noqa: PLC0415  with the library only
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415  as above
    from google.oauth2 import service_account  # noqa: PLC0415  as above

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()).decode()
    file = tmp_path_factory.mktemp("key") / "public.pem"
    spki = forms.PublicFormat.SubjectPublicKeyInfo
    file.write_bytes(key.public_key().public_bytes(forms.Encoding.PEM, spki))
    facts = {
        "client_email": "me@test.iam.gserviceaccount.com",
        "private_key": private,
        "type": "service_account",
    }
    facts["token_uri"] = "https://localhost/none"
    return service_account.Credentials.from_service_account_info(facts), file


def signed(credentials: Any, origin: str, upload_id: str, method: str, **more: Any) -> str:
    """A URL as google-cloud-storage signs it (V4)."""
    from google.cloud import storage  # noqa: PLC0415  only where it is installed

    bucket = storage.Client(project="p", credentials=credentials).bucket("storage")
    blob = bucket.blob(f"geopera-sandbox/uploads/{upload_id}/ä b+1.tif")
    return str(
        blob.generate_signed_url(
            timedelta(seconds=60), version="v4", method=method, api_access_endpoint=origin, **more
        )
    )


def test_what_googles_library_signs_is_accepted(
    open_wire: Callable[..., Wire], account: tuple[Any, Path]
) -> None:
    """PUT with signed headers, GET with a query of its own, and a resumable session, all GOOG4-RSA-SHA256."""
    credentials, file = account
    wire = open_wire(store_keys=(f"{credentials.service_account_email}={file}",))
    upload_id = wire.initiate()
    origin = wire.box.store_url
    md5 = base64.b64encode(hashlib.md5(b"abc").digest()).decode()
    sha256 = hashlib.sha256(b"abc").hexdigest()
    extra = {
        "x-goog-if-generation-match": "0",
        "x-goog-hash": f"md5={md5}",
        "x-goog-content-sha256": sha256,
    }
    put = signed(
        credentials, origin, upload_id, "PUT", content_type="image/tiff", content_md5=md5, headers=extra
    )
    headers = {"Content-Type": "image/tiff", "Content-MD5": md5, **extra}
    stored = wire.bare.put(put, content=b"abc", headers=headers)
    get = signed(credentials, origin, upload_id, "GET", response_disposition='attachment; filename="x y"')
    start = signed(credentials, origin, upload_id, "RESUMABLE", content_type="image/tiff")
    session = wire.bare.post(start, headers=START)

    assert stored.status_code == 200, stored.text
    assert wire.bare.get(get).content == b"abc"
    assert session.status_code == 201, session.text
    assert sent(wire, session.headers["location"], 0, len(CONTENT)).status_code == 200
    assert wire.bare.get(get).content == CONTENT


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda url: url.replace("1.tif", "2.tif"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("Expires=60", "Expires=600"), "SignatureDoesNotMatch"),
        (lambda url: url[:-2] + ("00" if not url.endswith("00") else "11"), "SignatureDoesNotMatch"),
        (lambda url: url[:-2], "SignatureDoesNotMatch"),
        (lambda url: url[:-2] + "zz", "SignatureDoesNotMatch"),
        (lambda url: url.replace("me%40test", "you%40test"), "AccessDenied"),
        (lambda url: url.replace("RSA", "HMAC"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("Expires=60", "Expires=604801"), "InvalidArgument"),
        (lambda url: url.replace("Expires=60", "Expires=soon"), "InvalidArgument"),
        (lambda url: url.replace("X-Goog-Date=2", "X-Goog-Date=x"), "InvalidArgument"),
        (lambda url: url.replace("%2Fstorage%2F", "%2Fsquare%2F"), "InvalidArgument"),
        (lambda url: url.replace("%2Fauto", "%2Fus"), "SignatureDoesNotMatch"),
        (
            lambda url: url.replace("SignedHeaders=content-type%3Bhost", "SignedHeaders=content-type"),
            "InvalidArgument",
        ),
    ],
)
def test_what_nobody_signed_is_refused(
    account: tuple[Any, Path], change: Callable[[str], str], code: str
) -> None:
    """Any change of the library's URL, and a key that is not registered, has its refusal."""
    credentials, file = account
    keys = {credentials.service_account_email: PublicKey.from_pem(file.read_text())}
    signer = Signer(b"secret", "me", "http://h:1", keys)
    url = signed(credentials, "http://h:1", "u", "PUT", content_type="image/tiff")
    given = {"host": "h:1", "content-type": "image/tiff"}
    as_signed, changed = urlsplit(url), urlsplit(change(url))
    signer.verify("PUT", as_signed.path, as_signed.query, given, time.time())
    with pytest.raises(StoreRefusal) as caught:
        signer.verify("PUT", changed.path, changed.query, given, time.time())

    assert code == caught.value.code


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----"])
def test_what_is_no_key_is_said_so(text: str) -> None:
    """A file that holds no RSA key is refused at the start."""
    with pytest.raises(ValueError, match="PEM file"):
        PublicKey.from_pem(text)
