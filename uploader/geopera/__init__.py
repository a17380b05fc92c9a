"""The platform's door: credentials, the calls, and the object store. The only package that speaks HTTP."""

from uploader.geopera.credentials import Credentials
from uploader.geopera.door import open_platform
from uploader.geopera.keys import read_key
from uploader.geopera.pacer import Bandwidth, Pacer
from uploader.geopera.platform import Platform
from uploader.geopera.signed_url import SignedUrl
from uploader.geopera.store import Store, TransferStopped
from uploader.geopera.wire import Timeouts

__all__ = [
    "Bandwidth",
    "Credentials",
    "Pacer",
    "Platform",
    "SignedUrl",
    "Store",
    "Timeouts",
    "TransferStopped",
    "open_platform",
    "read_key",
]
