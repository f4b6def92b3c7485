"""What an endpoint needs of a model: its container's definition, and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...context import Context
from .. import artifacts
from ..errors import ArtifactError
from ..unpacking import unpack


def container(model: dict[str, Any]) -> dict[str, Any]:
    """The one container of a model: its `Image`, `Environment` and where the artifact is."""
    found: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    return found


def fetch(context: Context, model: dict[str, Any], folder: Path, scratch: Path) -> None:
    """Put the model's files into `folder`; `scratch` holds the archive meanwhile. It blocks. Raises `ArtifactError`."""
    definition = container(model)
    folder.mkdir(parents=True, exist_ok=True)
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    if source and source["S3DataType"] == "S3Prefix":
        if artifacts.download_prefix(context.s3, source["S3Uri"], folder) == 0:
            raise ArtifactError(f"Could not find model data at {source['S3Uri']}.")
        return
    uri = source["S3Uri"] if source else definition.get("ModelDataUrl")
    if uri is None:
        return
    archive = scratch / "model.tar.gz"
    try:
        artifacts.download(context.s3, uri, archive)
        unpack(archive, folder)
    finally:
        archive.unlink(missing_ok=True)
