"""An endpoint that takes bright pictures for motorcycles: its answers are known, and nothing has to be trained."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence

import boto3
from PIL import Image

from include.scones.settings import Settings
from tests.conftest import CLOUD_PYTHON, REGION, ROOT
from tests.roles import ROLE

IMAGE = f"811284229777.dkr.ecr.{REGION}.amazonaws.com/image-classification:1"
PROGRAM = """
import json, sys
from onnx import TensorProto, helper
from tests.local_cloud.serving import archive
pixels = helper.make_tensor_value_info("data", TensorProto.UINT8, ["batch", 8, 8, 3])
answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])
number = lambda name, value: helper.make_tensor(name, TensorProto.FLOAT, [1], [value])
nodes = [
    helper.make_node("Cast", ["data"], ["floats"], to=TensorProto.FLOAT),
    helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2, 3], keepdims=1),
    helper.make_node("Flatten", ["means"], ["flat"]),
    helper.make_node("Div", ["flat", "white"], ["bright"]),
    helper.make_node("Sub", ["one", "bright"], ["dark"]),
    helper.make_node("Concat", sys.argv[1:], ["probabilities"], axis=1),
]
graph = helper.make_graph(nodes, "brightness", [pixels], [answer], [number("white", 255.0), number("one", 1.0)])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
files = {"model.onnx": model.SerializeToString(), "model.json": json.dumps({"input": {"shape": [8, 8, 3]}}).encode()}
sys.stdout.buffer.write(archive(files))
"""


def png(level: int) -> bytes:
    """A picture of one grey, from 0 to 255."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(buffer, "PNG")
    return buffer.getvalue()


def make_endpoint(settings: Settings, config: str) -> None:
    """The project's endpoint, with the model and the endpoint config of one name; its bucket must be there."""
    make_config(settings, config)
    boto3.client("sagemaker").create_endpoint(EndpointName=settings.endpoint, EndpointConfigName=config)


def make_config(settings: Settings, config: str, order: Sequence[str] = ("dark", "bright")) -> None:
    """The model and the endpoint config of one name; in the other order the model takes each class for the other."""
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    model = subprocess.run(
        [CLOUD_PYTHON, "-c", PROGRAM, *order],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    artifact = f"models/{config}.tar.gz"
    s3.put_object(Bucket=settings.bucket, Key=artifact, Body=model.stdout)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{settings.bucket}/{artifact}"}
    sagemaker.create_model(ModelName=config, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "AllTraffic", "ModelName": config, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=config, ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
    )


def await_endpoint(settings: Settings, what: str = "endpoint_in_service") -> None:
    waiter = boto3.client("sagemaker").get_waiter(what)
    waiter.wait(EndpointName=settings.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
