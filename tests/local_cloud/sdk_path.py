"""Run by `.venv`: train, deploy and invoke with the `sagemaker` SDK and nothing but the AWS environment set.

Arguments: the bucket of the images, a name. It prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper import IamRoleResolver
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, StoppingCondition

HYPERPARAMETERS = {
    "num_layers": 20,
    "image_shape": "3,28,28",
    "num_classes": 2,
    "num_training_samples": 64,
    "epochs": 1,
}


def train(bucket: str, name: str, image: str, role: str) -> str:
    """Where the model's artifact is."""
    trainer = ModelTrainer(
        training_image=image,
        role=role,
        base_job_name=name,
        compute=Compute(instance_type="ml.g4dn.xlarge", instance_count=1, volume_size_in_gb=10),
        hyperparameters=HYPERPARAMETERS,
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
    )
    keys = {"train": "train/", "validation": "test/", "train_lst": "train.lst", "validation_lst": "test.lst"}
    trainer.train(
        input_data_config=[
            InputData(channel_name=channel, data_source=f"s3://{bucket}/{key}", content_type="application/x-image")
            for channel, key in keys.items()
        ]
    )
    return str(trainer._latest_training_job.model_artifacts.s3_model_artifacts)


def deploy(name: str, image: str, artifact: str, role: str) -> Endpoint:
    Model.create(
        model_name=name,
        primary_container=ContainerDefinition(image=image, model_data_url=artifact),
        execution_role_arn=role,
    )
    variant = ProductionVariant(
        variant_name="AllTraffic", model_name=name, instance_type="ml.m5.large", initial_instance_count=1
    )
    EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    endpoint.wait_for_status("InService", poll=1, timeout=60)
    return endpoint


def main(bucket: str, name: str) -> None:
    image = image_uris.retrieve("image-classification", boto3.session.Session().region_name)
    role = IamRoleResolver().create_execution_role(role_type="training")
    endpoint = deploy(name, image, train(bucket, name, image, role), role)
    s3 = boto3.client("s3")
    key = s3.list_objects_v2(Bucket=bucket, Prefix="test/", MaxKeys=1)["Contents"][0]["Key"]
    image_data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    answer = endpoint.invoke(body=image_data, content_type="image/png")
    sys.stdout.write(json.dumps({"image": image, "answer": json.loads(answer.body.read())}) + "\n")
    endpoint.delete()


if __name__ == "__main__":
    main(*sys.argv[1:])
