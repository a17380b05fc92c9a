"""The Geopera platform: credentials, its calls, and the object store behind its signed URLs."""

from uploader.net.http_client import Timeouts
from uploader.net.rate_limit import Bandwidth, RateLimit
from uploader.platform.geopera.connect import open_platform
from uploader.platform.geopera.credentials import Credentials
from uploader.platform.geopera.key_file import read_key
from uploader.platform.geopera.object_store import TransferStopped
from uploader.platform.signed_url import SignedUrl

__all__ = [
    "Bandwidth",
    "Credentials",
    "RateLimit",
    "SignedUrl",
    "Timeouts",
    "TransferStopped",
    "open_platform",
    "read_key",
]
