"""What time the platform has: for `uploader check`, which compares it with ours."""

from __future__ import annotations

from uploader.net.http_client import HttpClient
from uploader.net.tls import trust
from uploader.platform.geopera.connect import check_base_url

DEADLINE = 20.0
"""Seconds for the one question."""


async def server_time(base_url: str, *, proxy: str = "", ca_file: str = "") -> float | None:
    """The far side's clock in unix seconds, to the second; None where its answer carries no date.

    Asks without a credential, so any answer will do. Raises Unreachable or NoAnswer where there is none, and
    ConfigurationError as `open_platform` does.
    """
    check_base_url(base_url)
    wire = HttpClient(base_url, context=trust(ca_file), proxy=proxy)
    try:
        answer = await wire.post(
            "/v1/op/items.list", b"{}", {}, what="the clock's question", deadline=DEADLINE
        )
    finally:
        await wire.aclose()
    return answer.now if "date" in answer.headers else None
