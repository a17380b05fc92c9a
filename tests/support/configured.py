"""Sections of a configuration as decisions are given them, with the defaults that people get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from uploader.config import Folder, Settings
from uploader.folders import FolderSpec


def a_folder(project_id: str, collection_id: str = "", item_id: str = "", **keys: Any) -> Folder:
    """A drop folder whose files go there."""
    place = {"project_id": project_id, "collection_id": collection_id, "item_id": item_id}
    return Folder.model_validate({"path": "/d", **place, **keys})


def settings_with(base: Settings | None = None, **sections: dict[str, Any]) -> Settings:
    """A configuration that says this, by section, besides what another one says."""
    said = base.model_dump(exclude_unset=True) if base else {}
    return Settings.model_validate(
        {**said, **{name: {**said.get(name, {}), **keys} for name, keys in sections.items()}}
    )


def watched(path: Path | str, **keys: Any) -> FolderSpec:
    """A drop folder there, as it is watched."""
    return FolderSpec(a_folder("p", path=str(path), **keys))
