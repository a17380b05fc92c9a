"""A bare client of the sandbox's wire for its own tests: one method per step, nothing hidden, nothing retried."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType

    from uploader.sandbox import Sandbox

TOKEN = "/realms/public/protocol/openid-connect/token"


class Wire:
    """Calls operations with a key; `post` gives the response, `ok` the body of a success."""

    def __init__(self, box: Sandbox, key: str = "") -> None:
        self.box = box
        headers = {"Authorization": f"Bearer {key or box.api_key}"}
        self.http = httpx.Client(
            base_url=box.base_url, headers=headers, timeout=120, trust_env=False, verify=False
        )
        self.bare = httpx.Client(timeout=120, trust_env=False, verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self.bare.close()

    def post(self, operation: str, **body: Any) -> httpx.Response:
        """One call."""
        return self.http.post(f"/v1/op/{operation}", json=body)

    def ok(self, operation: str, **body: Any) -> Any:
        """One call that must succeed."""
        response = self.post(operation, **body)
        assert response.status_code == 200, response.text
        return response.json()

    def token(self, **form: str) -> httpx.Response:
        """One request to the token endpoint."""
        return self.bare.post(self.box.base_url + TOKEN, data=form)

    def initiate(self, size: int = 100, **more: Any) -> str:
        """Open a session in the first project; returns its id."""
        body = {"project_id": self.box.project_id, "total_bytes": size, **more}
        return str(self.ok("uploads.initiate", **body)["id"])

    def url(self, upload_id: str, name: str, content_type: str = "image/tiff") -> str:
        """A signed URL for one file."""
        body = {"upload_id": upload_id, "file_name": name, "content_type": content_type}
        return str(self.ok("uploads.signed_url", **body)["upload_url"])

    def put(
        self, url: str, content: bytes, content_type: str = "image/tiff", **headers: str
    ) -> httpx.Response:
        """Send bytes to the store."""
        return self.bare.put(url, content=content, headers={"Content-Type": content_type, **headers})

    def store(self, upload_id: str, name: str, content: bytes) -> None:
        """Store one file of a session."""
        response = self.put(self.url(upload_id, name), content)
        assert response.status_code == 200, response.text

    def upload(self, files: dict[str, bytes], **more: Any) -> tuple[str, list[str]]:
        """A whole session: its id and the ids of its items."""
        upload_id = self.initiate(sum(map(len, files.values())), file_count=len(files), **more)
        for name, content in files.items():
            self.store(upload_id, name, content)
        return upload_id, self.ok("uploads.complete", upload_id=upload_id)["item_ids"]

    def settled(self, item_id: str, seconds: float = 120) -> dict[str, Any]:
        """The item once its pipeline has ended, done or failed."""
        deadline = time.monotonic() + seconds
        while True:
            item: dict[str, Any] = self.ok("items.get", item_id=item_id)["item"]
            if item["properties"]["geopera:pipeline"] != "pending":
                return item
            assert time.monotonic() < deadline, item
            time.sleep(0.05)

    def fault(self, **rule: Any) -> None:
        """Put a rule of misbehaviour in force."""
        response = self.bare.post(self.box.base_url + "/sandbox/faults", json=rule)
        assert response.status_code == 200, response.text
