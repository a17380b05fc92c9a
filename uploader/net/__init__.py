"""The one door of HTTP: requests, connections, and what the failure of a connection proves.

Connections are those of httpcore. httpx takes base URLs apart, and brings certificates where the system has none.
"""

import sys

# httpx loads what its own command line needs (rich, pygments, click) wherever they are installed: 45 ms of each
# start. It does without where its module cannot be imported. Who has imported httpx before keeps all of it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
