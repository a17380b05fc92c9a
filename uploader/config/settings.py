"""The whole configuration, and what the decisions need of it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationInfo, model_validator

from uploader.config.cross_checks import relations
from uploader.config.sections import (
    BatchSection,
    ConvertSection,
    Dashboard,
    Folder,
    LimitsSection,
    LogSection,
    NotifySection,
    PlatformSection,
    Section,
    StagingSection,
    Transfer,
)
from uploader.config.value_types import AbsolutePath
from uploader.core.errors import ConfigurationError
from uploader.core.model import Destination, Limits

DEFAULT_STATE_DIR = Path("/var/lib/uploader")


class Settings(Section):
    """The whole configuration, checked."""

    state_dir: AbsolutePath = Field(default=DEFAULT_STATE_DIR, validate_default=True)
    platform: PlatformSection = PlatformSection()
    folders: tuple[Folder, ...] = ()
    staging: StagingSection = StagingSection()
    convert: ConvertSection = ConvertSection()
    batch: BatchSection = BatchSection()
    transfer: Transfer = Transfer()
    limits: LimitsSection = LimitsSection()
    dashboard: Dashboard = Dashboard()
    notify: NotifySection = NotifySection()
    log: LogSection = LogSection()

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> Settings:
        if self.staging.dir is None:
            staging = self.staging.model_copy(update={"dir": self.state_dir / "staging"})
            object.__setattr__(self, "staging", staging)  # frozen for everybody else
        if (
            info.context is None
        ):  # whoever reads a document applies the rules himself, and tells all with their lines
            folders = dict(enumerate(self.folders))
            for mistake in relations(self.state_dir, self.staging.dir, folders, self.platform):
                raise ConfigurationError(mistake.text)
        return self

    @property
    def effort(self) -> str:
        """How much time a conversion may take for a smaller file: more where the line is what limits."""
        if self.convert.level != "auto":
            return self.convert.level
        return "balanced" if self.transfer.bandwidth_limit else "fast"

    def destinations(self) -> dict[str, Destination]:
        """By folder: what the decisions need to know of it."""
        return {str(folder.path): folder.destination() for folder in self.folders}

    def planner_limits(self) -> Limits:
        """The numbers that plans depend on."""
        return Limits(
            batch_files=self.batch.max_files,
            batch_bytes=self.batch.max_bytes,
            linger=self.batch.linger_seconds,
            max_wait=self.batch.max_wait_seconds,
            converters=self.convert.processes,
            transfers=self.transfer.concurrency,
            max_attempts=self.limits.max_attempts,
            staging_bytes=self.staging.max_bytes,
            min_free_bytes=self.limits.min_free_bytes,
            stalled_after=self.notify.stalled_after,
        )
