"""The whole configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationInfo, model_validator

from uploader.config.cross_checks import relations
from uploader.config.section import Section
from uploader.config.sections import (
    BatchSection,
    ConvertSection,
    DashboardSection,
    Folder,
    LimitsSection,
    LogSection,
    NotifySection,
    PlatformSection,
    StagingSection,
    TransferSection,
)
from uploader.config.value_types import AbsolutePath
from uploader.core.errors import ConfigurationError

DEFAULT_STATE_DIR = Path("/var/lib/uploader")


class Settings(Section):
    """The whole configuration, checked."""

    state_dir: AbsolutePath = Field(default=DEFAULT_STATE_DIR, validate_default=True)
    platform: PlatformSection = PlatformSection()
    folders: tuple[Folder, ...] = ()
    staging: StagingSection = StagingSection()
    convert: ConvertSection = ConvertSection()
    batch: BatchSection = BatchSection()
    transfer: TransferSection = TransferSection()
    limits: LimitsSection = LimitsSection()
    dashboard: DashboardSection = DashboardSection()
    notify: NotifySection = NotifySection()
    log: LogSection = LogSection()

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> Settings:
        if self.staging.dir is None:
            staging = self.staging.model_copy(update={"dir": self.state_dir / "staging"})
            object.__setattr__(self, "staging", staging)  # frozen for everybody else
        # Whoever reads a document applies the rules himself, and tells all with their lines.
        if info.context is None:
            folders = dict(enumerate(self.folders))
            for mistake in relations(self.state_dir, self.staging.dir, folders, self.platform, self.convert):
                raise ConfigurationError(mistake.text)
        return self

    @property
    def effort(self) -> str:
        """How much time a conversion may take for a smaller file: more where the line is what limits."""
        if self.convert.level != "auto":
            return self.convert.level
        return "balanced" if self.transfer.bandwidth_limit else "fast"

    def destinations(self) -> dict[str, Folder]:
        """By path: the folders, which say where their files go."""
        return {str(folder.path): folder for folder in self.folders}

    def archive_dirs(self) -> dict[str, Path]:
        """By path of the folder: where its sources are archived, if they are."""
        return {str(folder.path): folder.archive_dir for folder in self.folders if folder.archive_dir}
