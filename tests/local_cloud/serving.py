"""What the tests of endpoints share: tiny models in the container's format, and the resources around them."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper
from PIL import Image

from tests.conftest import Cloud
from tests.roles import ROLE
from tests.waiting import eventually

REGION = "us-east-1"
IMAGE_URI = f"811284229777.dkr.ecr.{REGION}.amazonaws.com/image-classification:1"
ODD_CONTAINER = Path(__file__).with_name("odd_container.py")
ODD_IMAGE_URI = f"000000000000.dkr.ecr.{REGION}.amazonaws.com/odd-container:1"


def png(size: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def model_archive(answer: Iterable[float]) -> bytes:
    """A model for images of 8x8 that always gives the same answer."""
    answer = list(answer)
    data = helper.make_tensor_value_info("data", TensorProto.UINT8, ["batch", 8, 8, 3])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(answer)])
    nodes = [
        helper.make_node("Cast", ["data"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Mul", ["flat", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "answer"], ["probabilities"]),
    ]
    constants = [
        helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("answer", TensorProto.FLOAT, [len(answer)], answer),
    ]
    graph = helper.make_graph(nodes, "constant", [data], [probabilities], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    description = json.dumps({"input": {"shape": [8, 8, 3]}}).encode()
    return archive({"model.onnx": model.SerializeToString(), "model.json": description})


def capture_config(destination: str, **changes: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": destination,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        **changes,
    }


class Serving:
    """A cloud's endpoints as a user makes them; names get a number, so that tests do not meet."""

    def __init__(self, cloud: Cloud, region: str = REGION) -> None:
        self.cloud = cloud
        self.url = cloud.url
        self.s3 = cloud.client("s3")
        self.sagemaker = cloud.client("sagemaker", region_name=region)
        self.runtime = cloud.client("sagemaker-runtime", region_name=region)
        self.bucket = f"serving-{time.time_ns()}"
        self.s3.create_bucket(Bucket=self.bucket)
        self._count = 0

    def name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}-{self.bucket[-9:]}-{self._count}"

    def model(self, content: bytes | None = None, image: str = IMAGE_URI, **container: Any) -> str:
        name = self.name("model")
        if content is not None:
            self.s3.put_object(Bucket=self.bucket, Key=f"{name}.tar.gz", Body=content)
            container["ModelDataUrl"] = f"s3://{self.bucket}/{name}.tar.gz"
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": image, **container}, ExecutionRoleArn=ROLE
        )
        return name

    def config(self, models: dict[str, tuple[str, float]], instances: int = 1, **further: Any) -> str:
        """`models` gives each variant's model and weight."""
        name = self.name("config")
        variants = [
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": instances,
                "InitialVariantWeight": weight,
            }
            for variant, (model, weight) in models.items()
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **further)
        return name

    def endpoint(self, config: str) -> str:
        name = self.name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.until_in_service(name)
        return name

    def simple(self, answer: Iterable[float] = (0.75, 0.25), **further: Any) -> str:
        """An endpoint of one variant, AllTraffic, that always gives the same answer."""
        return self.endpoint(self.config({"AllTraffic": (self.model(model_archive(answer)), 1)}, **further))

    def odd(self, environment: dict[str, str] | None = None, **further: Any) -> str:
        """An endpoint of the odd container."""
        model = self.model(image=ODD_IMAGE_URI, Environment=environment or {})
        return self.endpoint(self.config({"AllTraffic": (model, 1)}, **further))

    def describe(self, endpoint: str) -> dict[str, Any]:
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return described

    def until_settled(self, endpoint: str) -> dict[str, Any]:
        return eventually(
            lambda: self.describe(endpoint),
            lambda found: found["EndpointStatus"] in ("InService", "Failed", "OutOfService"),
        )

    def until_in_service(self, endpoint: str) -> None:
        described = self.until_settled(endpoint)
        assert described["EndpointStatus"] == "InService", described.get("FailureReason")

    def until_deleted(self, endpoint: str) -> None:
        eventually(lambda: not self.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])

    def invoke(self, endpoint: str, body: bytes = png(), content_type: str = "image/png", **further: Any) -> bytes:
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, ContentType=content_type, Body=body, **further)
        content: bytes = answer["Body"].read()
        return content

    def captured(self, endpoint: str, records: int, prefix: str = "captures") -> dict[str, list[bytes]]:
        """The lines of each capture file of an endpoint, as soon as there are so many in all."""
        return eventually(
            lambda: self._capture_files(f"{prefix}/{endpoint}/"),
            lambda files: sum(map(len, files.values())) >= records,
        )

    def _capture_files(self, prefix: str) -> dict[str, list[bytes]]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        keys = [each["Key"] for each in found]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().splitlines(True) for key in keys}
