"""What the sandbox says when it starts: where it is, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.sandbox.oauth import REALM

if TYPE_CHECKING:
    from uploader.sandbox.world import World


def banner(world: World) -> str:
    """The start-up lines."""
    options = world.options
    return f"""\
API        {world.api_url}
store      {world.store_url}
items      {world.api_url}/sandbox/items
API key    {options.api_key}
projects   {" ".join(options.projects)}
quota      {options.quota_bytes} bytes
state      {options.root}

A token by hand:
  curl -s -X POST {world.api_url}{REALM}token \\
    -d grant_type=client_credentials -d client_id=geopera -d client_secret={options.api_key}

The daemon: save this as config.toml, drop rasters into ./drop, then
  export GEOPERA_API_KEY={options.api_key}
  mkdir -p drop && uploader run -c config.toml

  state_dir = "./state"

  [platform]
  base_url = "{world.api_url}"

  [[folders]]
  path = "./drop"
  project_id = "{options.projects[0]}"

Ctrl-C stops it; what was uploaded stays in the state folder."""
