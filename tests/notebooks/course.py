"""The steps of the course's notebook that no SDK has a part in: images, lists, functions, state machine and plots.

Programs import this in environments of an SDK's own, with nothing of the project but the archive that they are given.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3
import jsonlines
import matplotlib as mpl
import pandas as pd

mpl.use("Agg")

import matplotlib.pyplot as plt

STARTER = Path(__file__).parent / "starter"
BICYCLE, MOTORCYCLE = 8, 48
_LAMBDA_ERRORS = [
    f"Lambda.{name}"
    for name in ("ServiceException", "AWSLambdaException", "SdkClientException", "TooManyRequestsException")
]


def save_split(archive: Path, split: str, folder: Path) -> pd.DataFrame:
    """Filter the split, save its images as matplotlib does (with an alpha channel), and write their `.lst`."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"cifar-100-python/{split}")
        assert member is not None
        data = pickle.load(member, encoding="bytes")
    frame = pd.DataFrame({"filenames": data[b"filenames"], "fine_labels": data[b"fine_labels"]})
    frame = frame[frame["fine_labels"].isin([BICYCLE, MOTORCYCLE])]
    frame["filenames"] = frame["filenames"].map(bytes.decode)
    (folder / split).mkdir()
    for row, name in frame["filenames"].items():
        plt.imsave(folder / split / name, data[b"data"][row].reshape(3, 32, 32).transpose(1, 2, 0))
    listed = pd.DataFrame({"row": frame.index, "label": (frame["fine_labels"] == MOTORCYCLE).astype(int)})
    listed["s3_path"] = frame["filenames"].to_numpy()
    listed.to_csv(folder / f"{split}.lst", sep="\t", index=False, header=False)
    return frame


def upload_lists(folder: Path, bucket: str) -> None:
    for split in ("train", "test"):
        boto3.resource("s3").Bucket(bucket).Object(f"{split}.lst").upload_file(str(folder / f"{split}.lst"))


def generate_test_case(bucket: str) -> str:
    """The input of an execution: any one of the test images."""
    objects = boto3.resource("s3").Bucket(bucket).objects.filter(Prefix="test/")
    key = random.choice([each.key for each in objects])  # noqa: S311 - a sample, not a secret
    return json.dumps({"image_data": "", "s3_bucket": bucket, "s3_key": key})


def make_function(
    name: str, source: str, role: str, bucket: str, packages: Iterable[Path] = (), **environment: str
) -> str:
    """A function of a starter's file, by S3, with the packages that it brings along; gives its ARN."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(STARTER / f"{source}.py", "lambda_function.py")
        for package in packages:
            for path in [package] if package.is_file() else package.rglob("*"):
                within = path.relative_to(package.parent)
                if path.is_file() and path.suffix != ".pyc" and "tests" not in within.parts:
                    archive.write(path, within)
    boto3.resource("s3").Bucket(bucket).Object(f"functions/{name}.zip").put(Body=content.getvalue())
    made = boto3.client("lambda").create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",  # for which its packages are
        Role=role,
        Handler="lambda_function.lambda_handler",
        Code={"S3Bucket": bucket, "S3Key": f"functions/{name}.zip"},
        Timeout=300,
        MemorySize=512,
        Environment={"Variables": environment},
    )
    return str(made["FunctionArn"])


def delete_functions(name: str, bucket: str) -> None:
    """Delete the functions whose names begin so, and all packages in the bucket, which are large."""
    client = boto3.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"].startswith(name):
                client.delete_function(FunctionName=function["FunctionName"])
    boto3.resource("s3").Bucket(bucket).objects.filter(Prefix="functions/").delete()


def _invoke(function: str, payload: str, **what_follows: Any) -> dict[str, Any]:
    retry = {"ErrorEquals": _LAMBDA_ERRORS, "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"{function}:$LATEST", "Payload.$": payload},
        "Retry": [retry | {"JitterStrategy": "FULL"}],
        **what_follows,
    }


def make_machine(name: str, role: str, serialize: str, classify: str, filter_inferences: str) -> str:
    """A state machine as the console exports it, in whose three tasks answers are cut in three ways; gives its ARN."""
    selected = {"image_data.$": "$.Payload.body.image_data", "where.$": "$.Payload.body.s3_key"}
    definition = {
        "Comment": "Classifies an image",
        "StartAt": "Serialize Image Data",
        "States": {
            "Serialize Image Data": _invoke(
                serialize, "$", ResultSelector=selected, ResultPath="$.serialized", Next="Classify Image"
            ),
            "Classify Image": _invoke(classify, "$.serialized", OutputPath="$.Payload", Next="Filter Inferences"),
            "Filter Inferences": _invoke(filter_inferences, "$", OutputPath="$.Payload", End=True),
        },
    }
    made = boto3.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role
    )
    return str(made["stateMachineArn"])


def execute(machine: str, cases: list[str]) -> list[dict[str, Any]]:
    """What became of an execution of each case, one after the other."""
    states = boto3.client("stepfunctions")
    ended: list[dict[str, Any]] = []
    for case in cases:
        arn = states.start_execution(stateMachineArn=machine, input=case)["executionArn"]
        while (seen := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.2)
        ended.append({name: seen[name] for name in ("status", "output", "error", "cause") if name in seen})
    return ended


def read_captures(download: Callable[[], object], folder: Path, expected: int) -> list[dict[str, Any]]:
    """The records in the files that a download brings into the folder, once as many as expected have come."""
    deadline, records = time.monotonic() + 180, list[dict[str, Any]]()
    while time.monotonic() < deadline:
        download()
        records = [record for path in folder.rglob("*.jsonl") for record in _lines(path)]
        if len(records) >= expected:
            return records
        time.sleep(1)
    raise TimeoutError(f"{len(records)} of {expected} records were captured in three minutes")


def _lines(path: Path) -> list[dict[str, Any]]:
    with jsonlines.open(path) as lines:
        return list(lines)


def confidences(records: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """The time of each captured request, and how sure the model was."""
    pairs = []
    for record in records:
        output = record["captureData"]["endpointOutput"]
        pairs.append((record["eventMetadata"]["inferenceTime"], max(json.loads(output["data"]))))
    return pairs


def conclude(
    folder: Path,
    found: dict[str, Any],
    answers: list[list[float]],
    threshold: float,
    executions: list[dict[str, Any]],
    records: list[dict[str, Any]],
) -> None:
    """Draw what was captured, and write down in `found.json` what was found, by the SDK and by all else."""
    plot(records, threshold, folder)
    further = {"answers": answers, "threshold": threshold, "executions": executions}
    (folder / "found.json").write_text(json.dumps(found | further | {"confidences": confidences(records)}))


def plot(records: list[dict[str, Any]], threshold: float, folder: Path) -> None:
    times, values = zip(*sorted(confidences(records)), strict=True)
    figure, (above, below) = plt.subplots(2)
    above.scatter(pd.to_datetime(list(times)), values, c=["r" if value < threshold else "b" for value in values])
    above.axhline(threshold, linestyle="--")
    below.hist(values, bins=20, range=(0.5, 1))
    figure.savefig(folder / "captured.png")
