"""The platform as the configuration names it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

from uploader.config import PlatformSection
from uploader.platform import geopera
from uploader.platform.api import ObjectStore, Platform
from uploader.platform.geopera.key_file import read_key


def connect(
    platform: PlatformSection,
    throttle: geopera.Bandwidth | None = None,
    environ: Mapping[str, str] = os.environ,
) -> AbstractAsyncContextManager[tuple[Platform, ObjectStore]]:
    """The platform and its object storage, for as long as the block runs.

    The key is read whenever it is needed, from where `platform` says or out of `environ`.
    """
    return geopera.open_platform(
        base_url=platform.base_url,
        auth=platform.auth,
        client_id=platform.client_id,
        read_key=partial(read_key, str(platform.api_key_file or ""), environ),
        requests_per_minute=platform.requests_per_minute,
        proxy=platform.proxy,
        ca_file=str(platform.ca_file or ""),
        throttle=throttle,
    )
