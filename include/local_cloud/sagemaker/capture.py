"""Data capture records: what a real-time endpoint saw and answered, as the JSON lines that SageMaker writes to S3."""

from __future__ import annotations

import json
import uuid
from binascii import b2a_base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

MODES = {"Input": {"INPUT"}, "Output": {"OUTPUT"}, "InputAndOutput": {"INPUT", "OUTPUT"}}


class Exchange(NamedTuple):
    """One answered request."""

    time: datetime
    input_type: str
    input: bytes
    output_type: str
    output: bytes
    inference_id: str | None = None
    custom_attributes: str | None = None


@dataclass(frozen=True)
class CaptureSettings:
    """An endpoint configuration's DataCaptureConfig, ready to apply."""

    destination: str
    sampling_percentage: int
    modes: frozenset[str]
    csv_types: frozenset[str]
    json_types: frozenset[str]

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | None) -> CaptureSettings | None:
        """None where nothing is to be captured."""
        if not config or not config.get("EnableCapture", True):
            return None
        headers = config.get("CaptureContentTypeHeader", {})
        return cls(
            destination=config["DestinationS3Uri"].rstrip("/"),
            sampling_percentage=config["InitialSamplingPercentage"],
            modes=frozenset(mode for option in config["CaptureOptions"] for mode in MODES[option["CaptureMode"]]),
            csv_types=frozenset(each.lower() for each in headers.get("CsvContentTypes", [])),
            json_types=frozenset(each.lower() for each in headers.get("JsonContentTypes", [])),
        )

    def line(self, exchange: Exchange) -> bytes:
        """The exchange as one line, members in SageMaker's order."""
        captured: dict[str, Any] = {}
        if "INPUT" in self.modes:
            captured["endpointInput"] = self._side("INPUT", exchange.input_type, exchange.input)
        if "OUTPUT" in self.modes:
            captured["endpointOutput"] = self._side("OUTPUT", exchange.output_type, exchange.output)
        event: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if exchange.custom_attributes is not None:
            event["customAttributes"] = [exchange.custom_attributes]
        if exchange.inference_id is not None:
            event["inferenceId"] = exchange.inference_id
        event["inferenceTime"] = exchange.time.strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {"captureData": captured, "eventMetadata": event, "eventVersion": "0"}
        return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def _side(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        data, encoding = _encoded(body, content_type, self.csv_types, self.json_types)
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _encoded(
    body: bytes, content_type: str, csv_types: Collection[str], json_types: Collection[str]
) -> tuple[str, str]:
    """The body as text only where its media type is listed as text (parameters such as charset do not matter)."""
    media_type = content_type.partition(";")[0].strip().lower()
    encoding = "CSV" if media_type in csv_types else "JSON" if media_type in json_types else "BASE64"
    if encoding != "BASE64":
        try:
            return body.decode(), encoding
        except UnicodeDecodeError:
            pass  # the sender's label is wrong; base64 keeps the bytes
    return b2a_base64(body, newline=False).decode("ascii"), "BASE64"
