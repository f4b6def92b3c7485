"""Run in `.venv`: the course's notebook as the `sagemaker` 3 SDK has it, with ModelTrainer and ModelBuilder, which find
role and bucket in files of the SDK's own.

Arguments: the archive, a folder to work in, a name. What it found is written into the folder as `found.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import course  # type: ignore[import-not-found]  # beside this file: `tests` is another package here
from sagemaker.core import image_uris
from sagemaker.core.analytics import TrainingJobAnalytics
from sagemaker.core.helper import session_helper
from sagemaker.core.model_monitor import DataCaptureConfig
from sagemaker.core.resources import Endpoint, TrainingJob
from sagemaker.core.s3 import S3Downloader, S3Uploader
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig

CASES = 4


def train(session: Any, bucket: str, image: str, samples: int) -> TrainingJob:
    trainer = ModelTrainer(
        training_image=image,
        sagemaker_session=session,
        base_job_name="course",
        compute=Compute(instance_type="ml.p3.2xlarge", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        hyperparameters={
            "image_shape": "3,32,32",
            "num_classes": 2,
            "num_training_samples": samples,
            "num_layers": 18,
            "epochs": 1,
        },
    )
    keys = {"train": "train/", "validation": "test/", "train_lst": "train.lst", "validation_lst": "test.lst"}
    trainer.train(
        [
            InputData(channel_name=channel, data_source=f"s3://{bucket}/{key}", content_type="application/x-image")
            for channel, key in keys.items()
        ]
    )
    return trainer._latest_training_job


def deploy(session: Any, bucket: str, image: str, job: TrainingJob, name: str, role: str) -> Endpoint:
    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=job.model_artifacts.s3_model_artifacts,
        instance_type="ml.m5.xlarge",
        role_arn=role,
        sagemaker_session=session,
    )
    builder.build(model_name=name)
    capture = DataCaptureConfig(
        enable_capture=True, sampling_percentage=100, destination_s3_uri=f"s3://{bucket}/data_capture"
    )
    endpoint = builder.deploy(
        endpoint_name=name,
        initial_instance_count=1,
        instance_type="ml.m5.xlarge",
        data_capture_config=capture,
        wait=False,
    )
    endpoint.wait_for_status("InService", poll=1)
    return endpoint


def predict(endpoint: Endpoint, image: bytes) -> list[float]:
    answered = endpoint.invoke(body=image, content_type="image/png").body.read()
    return list(json.loads(answered))


def main(archive: str, work: str, name: str) -> None:
    folder, session = Path(work), session_helper.Session()
    session_helper.NOTEBOOK_METADATA_FILE = str(folder / "resource-metadata.json")  # of /opt/ml/metadata
    role, bucket = session_helper.get_execution_role(session), session.default_bucket()
    frames = {split: course.save_split(Path(archive), split, folder) for split in ("train", "test")}
    for split in frames:
        S3Uploader.upload(str(folder / split), f"s3://{bucket}/{split}", sagemaker_session=session)
    course.upload_lists(folder, bucket)

    image = image_uris.retrieve("image-classification", session.boto_region_name, version="latest")
    job = train(session, bucket, image, len(frames["train"]))
    metrics = TrainingJobAnalytics(job.training_job_name, sagemaker_session=session).dataframe()
    endpoint = deploy(session, bucket, image, job, name, role)
    cases = [course.generate_test_case(bucket) for _ in range(CASES)]
    answers = [predict(endpoint, (folder / json.loads(case)["s3_key"]).read_bytes()) for case in cases]
    threshold = sum(map(max, answers)) / CASES

    functions = [
        course.make_function(f"{name}-serialize", "serialize_image_data", role, bucket),
        course.make_function(f"{name}-classify", "classify_image_boto3", role, bucket, ENDPOINT=name),
        course.make_function(f"{name}-filter", "filter_inferences", role, bucket, THRESHOLD=str(threshold)),
    ]
    executions = course.execute(course.make_machine(name, role, *functions), cases)
    captured, copied = f"s3://{bucket}/data_capture", folder / "captured"
    records = course.read_captures(
        lambda: S3Downloader.download(captured, str(copied), sagemaker_session=session), copied, expected=2 * CASES
    )
    found = {
        "image": image,
        "role": role,
        "bucket": bucket,
        "metrics": metrics["metric_name"].tolist(),
    }
    course.conclude(folder, found, answers, threshold, executions, records)
    endpoint.delete()
    course.delete_functions(name, bucket)


if __name__ == "__main__":
    main(*sys.argv[1:])
