"""The platform's door: credentials, the calls, and the object store. The only package that speaks HTTP."""

from uploader.net.http_client import Timeouts
from uploader.net.rate_limit import Bandwidth, RateLimit
from uploader.platform.geopera.calls import Platform
from uploader.platform.geopera.connect import open_platform
from uploader.platform.geopera.credentials import Credentials
from uploader.platform.geopera.key_file import read_key
from uploader.platform.geopera.object_store import ObjectStore, TransferStopped
from uploader.platform.geopera.signed_url import SignedUrl

__all__ = [
    "Bandwidth",
    "Credentials",
    "ObjectStore",
    "Platform",
    "RateLimit",
    "SignedUrl",
    "Timeouts",
    "TransferStopped",
    "open_platform",
    "read_key",
]
