"""Data capture records: what a real-time endpoint saw and answered, as the JSON lines that SageMaker writes to S3."""

from __future__ import annotations

import json
import uuid
from binascii import b2a_base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

CHUNK = 3 << 18  # bytes encoded at a time, so that other threads get their turn; a multiple of 3 needs no padding
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
        """The exchange as one line, members in SageMaker's order.

        It is put together by hand because base64 needs no escaping: a JSON encoder would look at each byte of it.
        """
        sides = []
        if "INPUT" in self.modes:
            sides.append(b'"endpointInput":' + self._side(b"INPUT", exchange.input_type, exchange.input))
        if "OUTPUT" in self.modes:
            sides.append(b'"endpointOutput":' + self._side(b"OUTPUT", exchange.output_type, exchange.output))
        event: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if exchange.custom_attributes is not None:
            event["customAttributes"] = [exchange.custom_attributes]
        if exchange.inference_id is not None:
            event["inferenceId"] = exchange.inference_id
        event["inferenceTime"] = f"{exchange.time:%Y-%m-%dT%H:%M:%SZ}"
        return b'{"captureData":{%b},"eventMetadata":%b,"eventVersion":"0"}\n' % (b",".join(sides), _json(event))

    def _side(self, mode: bytes, content_type: str, body: bytes) -> bytes:
        data, encoding = _encoded(body, content_type, self.csv_types, self.json_types)
        parts = (_json(content_type), mode, data, encoding)
        return b'{"observedContentType":%b,"mode":"%b","data":%b,"encoding":"%b"}' % parts


def _encoded(
    body: bytes, content_type: str, csv_types: Collection[str], json_types: Collection[str]
) -> tuple[bytes, bytes]:
    """The body as a JSON string: text only where its media type is listed as text (parameters do not matter)."""
    media_type = content_type.partition(";")[0].strip().lower()
    encoding = b"CSV" if media_type in csv_types else b"JSON" if media_type in json_types else b"BASE64"
    if encoding != b"BASE64":
        try:
            return _json(body.decode()), encoding
        except UnicodeDecodeError:
            pass  # the sender's label is wrong; base64 keeps the bytes
    parts = (b2a_base64(body[start : start + CHUNK], newline=False) for start in range(0, len(body), CHUNK))
    return b'"%b"' % b"".join(parts), b"BASE64"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
