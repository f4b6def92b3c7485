"""The life of an endpoint: created, invoked, captured, updated under load, reweighted, deleted; and each refusal."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Cloud
from tests.local_cloud.serving import IMAGE_URI, Serving, archive, capture_config, model_archive, png
from tests.waiting import eventually

BROKEN = archive({"model.onnx": b"no model", "model.json": b'{"input": {"shape": [8, 8, 3]}}'})


@pytest.fixture(scope="module")
def serving(cloud: Cloud) -> Serving:
    return Serving(cloud)


@pytest.fixture(scope="module")
def endpoint(serving: Serving) -> str:
    """An endpoint that no test changes."""
    return serving.simple((0.75, 0.25))


@contextmanager
def steady_load(serving: Serving, endpoint: str, clients: int = 2) -> Iterator[list[bytes | Exception]]:
    """What the endpoint answers while the block runs; a failure ends its client."""
    seen: list[bytes | Exception] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                seen.append(serving.invoke(endpoint))
            except ClientError as error:
                seen.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def update(serving: Serving, endpoint: str, config: str, **further: Any) -> dict[str, Any]:
    serving.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **further)
    return serving.until_settled(endpoint)


def test_describe_shows_what_serves(serving: Serving, endpoint: str) -> None:
    described = serving.describe(endpoint)
    assert described["EndpointArn"] == f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{endpoint}"
    assert described["EndpointStatus"] == "InService"
    assert "FailureReason" not in described
    (variant,) = described["ProductionVariants"]
    assert variant["VariantName"] == "AllTraffic"
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE_URI
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1.0, 1.0)
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert described["CreationTime"] <= described["LastModifiedTime"]


def test_list_endpoints_filters_by_name_and_status(serving: Serving, endpoint: str) -> None:
    listed = serving.sagemaker.list_endpoints(NameContains=endpoint, StatusEquals="InService")["Endpoints"]
    assert [each["EndpointName"] for each in listed] == [endpoint]
    assert not serving.sagemaker.list_endpoints(NameContains=endpoint, StatusEquals="Failed")["Endpoints"]


def test_an_answer_and_its_headers(serving: Serving, endpoint: str) -> None:
    answer = serving.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/png", Body=png())
    assert json.loads(answer["Body"].read()) == [0.75, 0.25]
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_json_lines_when_asked_for(serving: Serving, endpoint: str) -> None:
    answer = serving.invoke(endpoint, Accept="application/jsonlines")
    assert json.loads(answer) == {"prediction": [0.75, 0.25]}


def test_a_body_that_is_no_image_is_a_model_error(serving: Serving, endpoint: str) -> None:
    with pytest.raises(ClientError) as caught:
        serving.invoke(endpoint, b"no image")
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == 400
    assert "PNG" in answer["OriginalMessage"]
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    assert answer["LogStreamArn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    message = f'Received client error (400) from primary with message "{answer["OriginalMessage"]}". See https://'
    assert answer["Error"]["Message"].startswith(message)
    assert json.loads(serving.invoke(endpoint)) == [0.75, 0.25]


def test_an_endpoint_that_is_not_there(serving: Serving) -> None:
    with pytest.raises(ClientError, match=r"\(ValidationError\).*Endpoint nobody of account 000000000000 not found\."):
        serving.invoke("nobody")
    for operation in ("describe_endpoint", "delete_endpoint"):
        with pytest.raises(ClientError, match=r'\(ValidationException\).*Could not find endpoint "arn:.*/nobody"'):
            getattr(serving.sagemaker, operation)(EndpointName="nobody")
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        serving.sagemaker.create_endpoint(EndpointName="nobody", EndpointConfigName="nothing")


def test_a_name_in_use(serving: Serving, endpoint: str) -> None:
    config = serving.describe(endpoint)["EndpointConfigName"]
    with pytest.raises(ClientError, match=r'\(ValidationException\).*Cannot create already existing endpoint "arn:'):
        serving.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)


@pytest.mark.parametrize("header", ["TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId"])
def test_requests_for_what_an_endpoint_does_not_have(serving: Serving, endpoint: str, header: str) -> None:
    with pytest.raises(ClientError, match=rf"ValidationError.*leave {header} out"):
        serving.runtime.invoke_endpoint(EndpointName=endpoint, Body=png(), **{header: "other"})


def test_traffic_follows_the_weights_and_the_target(serving: Serving) -> None:
    first, second = serving.model(model_archive([1.0, 0.0])), serving.model(model_archive([0.0, 1.0]))
    name = serving.endpoint(serving.config({"First": (first, 3), "Second": (second, 1)}))
    counts = Counter(serving.invoke(name) for _ in range(200))
    assert sorted(counts) == [b"[0.0, 1.0]", b"[1.0, 0.0]"]
    assert 110 < counts[b"[1.0, 0.0]"] < 190  # 150 expected, 6 standard deviations either way
    assert {serving.invoke(name, TargetVariant="Second") for _ in range(20)} == {b"[0.0, 1.0]"}
    with pytest.raises(ClientError, match=r"ValidationError.*Variant Third not found"):
        serving.invoke(name, TargetVariant="Third")

    desired = [{"VariantName": "First", "DesiredWeight": 0}, {"VariantName": "Second", "DesiredInstanceCount": 2}]
    serving.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
    serving.until_in_service(name)
    assert {serving.invoke(name) for _ in range(20)} == {b"[0.0, 1.0]"}
    weights = {each["VariantName"]: each["CurrentWeight"] for each in serving.describe(name)["ProductionVariants"]}
    assert weights == {"First": 0, "Second": 1}

    config = serving.config({"First": (first, 1), "Second": (second, 1)})
    kept = update(serving, name, config, RetainAllVariantProperties=True)["ProductionVariants"]
    assert [(each["CurrentWeight"], each["CurrentInstanceCount"]) for each in kept] == [(0, 1), (1, 2)]
    serving.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        ({"VariantName": "Other", "DesiredWeight": 1.0}, "Variant Other not found"),
        ({"VariantName": "AllTraffic", "DesiredWeight": 0.0}, "weight greater than 0"),
        ({"VariantName": "AllTraffic", "DesiredInstanceCount": 0}, "at least 1"),
    ],
)
def test_weights_and_counts_that_make_no_sense(
    serving: Serving, endpoint: str, desired: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        serving.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=[desired]
        )


def test_a_variant_is_changed_once_a_request(serving: Serving, endpoint: str) -> None:
    desired = [{"VariantName": "AllTraffic", "DesiredWeight": weight} for weight in (1.0, 2.0)]
    with pytest.raises(ClientError, match="Variant names must be unique: AllTraffic, AllTraffic"):
        serving.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=desired
        )


def test_an_update_under_load_fails_no_request(serving: Serving) -> None:
    name = serving.simple((1.0, 0.0))
    config = serving.config({"AllTraffic": (serving.model(model_archive([0.0, 1.0])), 1)})
    with steady_load(serving, name) as seen:
        eventually(lambda: len(seen), lambda count: count > 20)
        described = update(serving, name, config)
        after = len(seen)
        eventually(lambda: len(seen), lambda count: count > after + 40)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == config
    assert not [each for each in seen if isinstance(each, Exception)]
    assert set(seen) == {b"[1.0, 0.0]", b"[0.0, 1.0]"}
    assert set(seen[-20:]) == {b"[0.0, 1.0]"}
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_a_failed_update_leaves_the_old_model_serving(serving: Serving) -> None:
    name = serving.simple((1.0, 0.0))
    before = serving.describe(name)["EndpointConfigName"]
    config = serving.config({"AllTraffic": (serving.model(BROKEN), 1)})
    with steady_load(serving, name) as seen:
        described = update(serving, name, config)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == before
    assert "did not pass the ping health check" in described["FailureReason"]
    assert "PendingDeploymentSummary" not in described
    assert set(seen) == {b"[1.0, 0.0]"}
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_an_update_is_seen_while_it_goes_on_and_stands_alone(serving: Serving) -> None:
    name = serving.simple()
    config = serving.describe(name)["EndpointConfigName"]
    serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    described = serving.describe(name)
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == config
    for operation, request in (("update_endpoint", {"EndpointConfigName": config}), ("delete_endpoint", {})):
        with pytest.raises(ClientError, match=r'\(ValidationException\).*Cannot update in-progress endpoint "arn:'):
            getattr(serving.sagemaker, operation)(EndpointName=name, **request)
    serving.until_in_service(name)
    serving.sagemaker.delete_endpoint(EndpointName=name)


def model_without_data(serving: Serving) -> str:
    """It was there when the model was made, as it has to be."""
    name = serving.model(b"x")
    serving.s3.delete_object(Bucket=serving.bucket, Key=f"{name}.tar.gz")
    return name


def model_of_unknown_image(serving: Serving) -> str:
    return serving.model(image="000000000000.dkr.ecr.us-east-1.amazonaws.com/unknown:1")


def broken_model(serving: Serving) -> str:
    return serving.model(BROKEN)


def model_that_is_no_archive(serving: Serving) -> str:
    return serving.model(b"no archive")


def model_that_leaves_its_folder(serving: Serving) -> str:
    return serving.model(archive({"../../escaped": b"x"}))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (broken_model, "did not pass the ping health check: its process ended with exit code 1"),
        (model_without_data, "could not read s3://"),
        (model_of_unknown_image, "cannot be run by the local cloud"),
        (model_that_is_no_archive, "cannot be unpacked"),
        (model_that_leaves_its_folder, "cannot be unpacked"),
    ],
)
def test_an_endpoint_that_cannot_serve_says_why(serving: Serving, make: Any, reason: str) -> None:
    name = serving.name("endpoint")
    config = serving.config({"AllTraffic": (make(serving), 1)})
    serving.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    described = serving.until_settled(name)
    assert described["EndpointStatus"] == "Failed"
    assert reason in described["FailureReason"]
    with pytest.raises(ClientError, match=r"\(ValidationError\).*not found"):
        serving.invoke(name)
    with pytest.raises(ClientError, match="in status Failed"):
        serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    serving.sagemaker.delete_endpoint(EndpointName=name)
    serving.until_deleted(name)


def test_captures_reach_s3_record_by_record(serving: Serving) -> None:
    name = serving.simple((0.25, 0.75), DataCaptureConfig=capture_config(f"s3://{serving.bucket}/captures"))
    summary = serving.describe(name)["DataCaptureConfig"]
    assert (summary["CaptureStatus"], summary["CurrentSamplingPercentage"]) == ("Started", 100)
    serving.invoke(name)
    serving.invoke(name, InferenceId="inference-1", CustomAttributes="tenant=7")
    with pytest.raises(ClientError):
        serving.invoke(name, b"no image")
    serving.sagemaker.delete_endpoint(EndpointName=name)  # deleting brings what is captured to S3 at once

    files = serving.captured(name, 2)
    lines = [json.loads(line) for _, content in sorted(files.items()) for line in content]
    assert [line["captureData"] for line in lines] == [
        {
            "endpointInput": {
                "observedContentType": "image/png",
                "mode": "INPUT",
                "data": b64encode(png()).decode(),
                "encoding": "BASE64",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": "[0.25, 0.75]",
                "encoding": "JSON",
            },
        }
    ] * 2
    assert lines[0]["eventMetadata"].keys() == {"eventId", "inferenceTime"}
    assert lines[1]["eventMetadata"]["inferenceId"] == "inference-1"
    assert lines[1]["eventMetadata"]["customAttributes"] == ["tenant=7"]
    assert len({line["eventMetadata"]["eventId"] for line in lines}) == 2
    for key, content in files.items():
        prefix, file = key.rsplit("/", 1)
        first = json.loads(content[0])["eventMetadata"]["inferenceTime"]
        day, clock = first.rstrip("Z").split("T")
        assert prefix == f"captures/{name}/AllTraffic/{day.replace('-', '/')}/{clock[:2]}"
        assert file.startswith(clock[3:].replace(":", "-") + "-")


def test_sampling_takes_its_share(serving: Serving) -> None:
    capture = capture_config(f"s3://{serving.bucket}/captures", InitialSamplingPercentage=25)
    name = serving.simple(DataCaptureConfig=capture)
    for _ in range(200):
        serving.invoke(name)
    serving.sagemaker.delete_endpoint(EndpointName=name)
    count = sum(map(len, serving.captured(name, 14).values()))
    assert 14 <= count <= 86  # 50 expected, 6 standard deviations either way


def test_captures_and_metrics_arrive_while_the_endpoint_serves(serving: Serving, cloud: Cloud) -> None:
    name = serving.simple(DataCaptureConfig=capture_config(f"s3://{serving.bucket}/captures"))
    began = time.time() - 60
    for _ in range(5):
        serving.invoke(name)
    with pytest.raises(ClientError):
        serving.invoke(name, b"no image")
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}]

    def total(metric: str) -> float:
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=began,
            EndTime=time.time() + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    eventually(lambda: total("Invocations"), lambda invocations: invocations == 6)
    assert total("Invocation4XXErrors") == 1
    assert total("Invocation5XXErrors") == 0
    assert total("ModelLatency") > 0
    assert sum(map(len, serving.captured(name, 5).values())) == 5
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_deleting_ends_it(serving: Serving) -> None:
    name = serving.simple()
    serving.sagemaker.delete_endpoint(EndpointName=name)
    serving.until_deleted(name)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        serving.describe(name)
    with pytest.raises(ClientError, match="not found"):
        serving.invoke(name)
