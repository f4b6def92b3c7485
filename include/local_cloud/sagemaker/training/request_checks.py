"""What a CreateTrainingJob request may ask for here, beyond what the API's model says."""

from __future__ import annotations

import re
from typing import Any

from ...errors import NotImplementedException, ValidationException

# What would change the result of a job and is not there: refused rather than left out in silence.
_NOT_IMPLEMENTED = (
    "ServerlessJobConfig",
    "CheckpointConfig",
    # The SDK sends a DebugHookConfig with every job; one that collects nothing changes nothing.
    "DebugHookConfig.CollectionConfigurations",
    "DebugHookConfig.HookParameters",
    "DebugRuleConfigurations",
    "ProfilerRuleConfigurations",
    "TensorBoardOutputConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "EnableManagedSpotTraining",
    "AlgorithmSpecification.AlgorithmName",
    "AlgorithmSpecification.ContainerEntrypoint",
    "AlgorithmSpecification.ContainerArguments",
    "ResourceConfig.InstanceGroups",
    "ResourceConfig.KeepAlivePeriodInSeconds",
    "ResourceConfig.TrainingPlanArn",
)
_CHANNEL_NOT_IMPLEMENTED = (
    "DataSource.FileSystemDataSource",
    "DataSource.DatasetSource",
    "ShuffleConfig",
    "DataSource.S3DataSource.HubAccessConfig",
)
_CHANNEL_VALUES = {
    "CompressionType": {"None"},
    "RecordWrapperType": {"None"},
    "InputMode": {"File", "FastFile"},
    "DataSource.S3DataSource.S3DataType": {"S3Prefix"},
}


def check(request: dict[str, Any]) -> None:
    """Raises `ValidationException`, and `NotImplementedException` for what would be left out in silence."""
    for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if member not in request:
            raise ValidationException(f"{member} must be given")
    if "TrainingImage" not in request["AlgorithmSpecification"]:
        raise ValidationException("AlgorithmSpecification must have a TrainingImage or an AlgorithmName")
    _refuse(request, _NOT_IMPLEMENTED)
    _check_resources(request["ResourceConfig"])
    if request["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        raise NotImplementedException("OutputDataConfig.CompressionType NONE is not implemented: use GZIP")
    if request["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe":
        raise NotImplementedException("TrainingInputMode Pipe is not implemented: use File")
    _check_channels(request.get("InputDataConfig", []))
    _check_metrics(request["AlgorithmSpecification"].get("MetricDefinitions", []))


def _check_channels(channels: list[dict[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise ValidationException(f"Channel names must be unique: {', '.join(names)}")
    for channel in channels:
        _check_channel(channel)


def _check_metrics(definitions: list[dict[str, str]]) -> None:
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            raise ValidationException(f"The regex of metric {definition['Name']} is not valid: {error}") from error


def _check_resources(resources: dict[str, Any]) -> None:
    if "InstanceType" not in resources or "InstanceCount" not in resources:
        raise ValidationException("ResourceConfig must have an InstanceType and an InstanceCount")
    if resources["InstanceCount"] != 1:
        raise NotImplementedException(f"InstanceCount {resources['InstanceCount']} is not implemented: use 1")


def _check_channel(channel: dict[str, Any]) -> None:
    name = channel["ChannelName"]
    _refuse(channel, _CHANNEL_NOT_IMPLEMENTED, f" of channel {name}")
    if "S3DataSource" not in channel["DataSource"]:
        raise ValidationException(f"Channel {name} must have an S3DataSource")
    for path, allowed in _CHANNEL_VALUES.items():
        value = _at(channel, path)
        if value is not None and value not in allowed:
            raise NotImplementedException(
                f"{path} {value} of channel {name} is not implemented: use {' or '.join(sorted(allowed))}"
            )


def _refuse(request: dict[str, Any], paths: tuple[str, ...], where: str = "") -> None:
    for path in paths:
        if _at(request, path):
            raise NotImplementedException(f"{path}{where} is not implemented by the local cloud: leave it out")


def _at(value: dict[str, Any], path: str) -> Any:
    found: Any = value
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
