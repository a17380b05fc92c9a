"""The local platform: a real server that speaks the platform's wire, for the demo, tests and development.

    with Sandbox(Options(root=tmp)) as box:
        box.base_url, box.api_key, box.project_id

It is an extra (`pip install 'geopera-uploader[sandbox]'`): nothing but the command line imports it, and it
imports nothing of the program. Where the platform's documents are silent or differ it reads them the hardest way;
`Options` has a switch for every kinder one.
"""

from uploader.sandbox.errors import StartRefused
from uploader.sandbox.faults import Fault, When
from uploader.sandbox.options import Flag, Key, Options, flags, options_from
from uploader.sandbox.server import Sandbox, serve

__all__ = [
    "Fault",
    "Flag",
    "Key",
    "Options",
    "Sandbox",
    "StartRefused",
    "When",
    "flags",
    "options_from",
    "serve",
]
