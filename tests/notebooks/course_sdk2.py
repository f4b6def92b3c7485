"""Run in `.venv-sdk2`: the course's notebook through the `sagemaker` 2 SDK, with role and bucket from files of its own.

Arguments: the archive, a folder to work in, a name. What it found is written into the folder as `found.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import course  # type: ignore[import-not-found]  # beside this file: `tests` is another package here
import sagemaker
from sagemaker import image_uris
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.predictor import Predictor
from sagemaker.s3 import S3Downloader
from sagemaker.serializers import IdentitySerializer

CASES = 4
# Boto3 is part of AWS's runtime; the rest is no part of the SDK.
LEFT_OUT = {"PIL", "awscli", "boto3", "botocore", "contourpy", "docutils", "fontTools", "kiwisolver", "matplotlib"}


def train(session: Any, role: str, bucket: str, samples: int) -> Estimator:
    image = image_uris.retrieve("image-classification", session.boto_region_name, version="latest")
    estimator = Estimator(
        image_uri=image,
        role=role,
        instance_count=1,
        instance_type="ml.p3.2xlarge",
        output_path=f"s3://{bucket}/models/image_model",
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(
        image_shape="3,32,32", num_classes=2, num_training_samples=samples, num_layers=18, epochs=1
    )
    keys = {"train": "train/", "validation": "test/", "train_lst": "train.lst", "validation_lst": "test.lst"}
    inputs = {
        channel: TrainingInput(s3_data=f"s3://{bucket}/{key}", content_type="application/x-image")
        for channel, key in keys.items()
    }
    estimator.fit(inputs, logs="All")
    return estimator


def deploy(estimator: Estimator, session: Any, bucket: str) -> str:
    capture = DataCaptureConfig(
        enable_capture=True, sampling_percentage=100, destination_s3_uri=f"s3://{bucket}/data_capture"
    )
    deployed = estimator.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.xlarge",
        data_capture_config=capture,
        wait=False,  # the SDK looks every half minute
    )
    session.wait_for_endpoint(deployed.endpoint_name, poll=1)
    return str(deployed.endpoint_name)


def make_workflow(name: str, role: str, bucket: str, endpoint: str, threshold: float) -> str:
    packages = [each for each in Path(sagemaker.__file__).parents[1].iterdir() if each.name not in LEFT_OUT]
    functions = [
        course.make_function(f"{name}-serialize", "serialize_image_data", role, bucket),
        course.make_function(f"{name}-classify", "classify_image", role, bucket, packages, ENDPOINT=endpoint),
        course.make_function(f"{name}-filter", "filter_inferences", role, bucket, THRESHOLD=str(threshold)),
    ]
    return str(course.make_machine(name, role, *functions))


def main(archive: str, work: str, name: str) -> None:
    folder, session = Path(work), sagemaker.Session()
    sagemaker.session.NOTEBOOK_METADATA_FILE = str(folder / "resource-metadata.json")  # of /opt/ml/metadata
    role, bucket = sagemaker.get_execution_role(session), session.default_bucket()
    frames = {split: course.save_split(Path(archive), split, folder) for split in ("train", "test")}
    aws = Path(sys.executable).parent / "aws"
    subprocess.run([aws, "s3", "sync", folder / "train", f"s3://{bucket}/train/", "--quiet"], check=True, timeout=300)
    session.upload_data(str(folder / "test"), bucket, "test")
    course.upload_lists(folder, bucket)

    estimator = train(session, role, bucket, len(frames["train"]))
    job = estimator.latest_training_job.name
    attached = Estimator.attach(job, sagemaker_session=session)
    metrics = TrainingJobAnalytics(job, sagemaker_session=session).dataframe()
    own_metrics = attached.training_job_analytics.dataframe()["metric_name"].tolist()
    endpoint = deploy(attached, session, bucket)
    predictor = Predictor(endpoint, session, IdentitySerializer("image/png"))
    cases = [course.generate_test_case(bucket) for _ in range(CASES)]
    answers = [json.loads(predictor.predict((folder / json.loads(case)["s3_key"]).read_bytes())) for case in cases]
    threshold = sum(map(max, answers)) / CASES

    machine = make_workflow(name, role, bucket, endpoint, threshold)
    executions = course.execute(machine, cases)
    captured, copied = f"s3://{bucket}/data_capture", folder / "captured"
    records = course.read_captures(
        lambda: S3Downloader.download(captured, str(copied), sagemaker_session=session), copied, expected=2 * CASES
    )
    found = {
        "image": estimator.image_uri,
        "role": role,
        "bucket": bucket,
        "job": job,
        "attached": [attached.model_data, attached.hyperparameters(), own_metrics],
        "metrics": metrics["metric_name"].tolist(),
    }
    course.conclude(folder, found, answers, threshold, executions, records)
    predictor.delete_endpoint()
    course.delete_functions(name, bucket)


if __name__ == "__main__":
    main(*sys.argv[1:])
