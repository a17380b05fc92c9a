"""What the dashboard is given of a running daemon. It acts only through the commands of the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from uploader.daemon import control
from uploader.daemon.control import Handler
from uploader.daemon.live_status import LiveStatus
from uploader.effects.context import Tools
from uploader.report.dashboard import Access, Basemap, Sources
from uploader.report.dashboard.kept_previews import kept_previews


def page_sources(tools: Tools, status: LiveStatus, answers: Mapping[str, Handler], access: Access) -> Sources:
    """Those of this daemon."""
    page = tools.settings.dashboard
    return Sources(
        status=status.ask,
        read=tools.journal.read,
        command=partial(control.answered, answers),
        access=access,
        commits=lambda: tools.activity.commits,
        running=lambda: bool(tools.activity.snapshot()),
        hosts=page.hosts,
        base_url=tools.settings.platform.base_url,
        previews=kept_previews(tools.settings.state_dir),
        basemap=Basemap(page.basemap, page.basemap_attribution) if page.basemap else None,
    )
