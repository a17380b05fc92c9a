"""What the sandbox says when it starts: where it is, and what to type next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from uploader.sandbox.oauth import REALM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.sandbox.world import World


def banner(world: World, told: Sequence[str] = ()) -> str:
    """The start-up lines; `told` is what is different from the last start."""
    options = world.options
    key = shlex.quote(options.api_key)
    news = "".join(
        f"\nNOTE       {text} Configurations with the old address want the new one." for text in told
    )
    return f"""\
API        {world.api_url}
store      {world.store_url}
items      {world.api_url}/sandbox/items   (on a map, for the browser)
described  {world.api_url}/openapi.json
API key    {options.api_key}
projects   {" ".join(options.projects)}
quota      {options.quota_bytes} bytes
state      {options.root.resolve()}{news}

To upload, in another terminal:

mkdir -p drop
export GEOPERA_API_KEY={key}
cat > sandbox.toml <<'END'
state_dir = "state"

[platform]
base_url = "{world.api_url}"

[[folders]]
path = "drop"
project_id = "{options.projects[0]}"
settle_seconds = 2
END
uploader check -c sandbox.toml
uploader run -c sandbox.toml

Every TIFF that is put into drop/ becomes an item. To call it by hand, get a token:

curl -s -X POST {world.api_url}{REALM}token \\
  -d grant_type=client_credentials -d client_id=geopera -d client_secret={key}

Ctrl-C stops the sandbox; the same --root brings it back with all that was uploaded."""
