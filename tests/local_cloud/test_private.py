"""What is the owner's alone stays so: files that nobody else can read, and children that see no secret."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.local_cloud.private import close_to_others
from tests.conftest import Cloud, start_cloud, stop_cloud
from tests.local_cloud.conftest import ended, training_request, unique
from tests.local_cloud.serving import ODD_CONTAINER, Serving
from tests.roles import make_role
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

MARK = "marked-secret-3f9a"
SECRETS = {
    "AIRFLOW__API_AUTH__JWT_SECRET": MARK,
    "DATABASE_PASSWORD": MARK,
    "AWS_SESSION_TOKEN": MARK,
    "MY_TOKEN": MARK,
}
TRAINING = Path(__file__).with_name("training_script.py")
# All that a function can see of its own process and of the cloud's.
CODE = """
import os


def handler(event, context):
    seen = dict(os.environ)
    for pid in ("self", str(os.getppid())):
        with open(f"/proc/{pid}/environ", "rb") as file:
            seen[f"environ of {pid}"] = file.read().decode(errors="replace")
    return seen
"""


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that was started from a shell full of secrets."""
    folder = tmp_path_factory.mktemp("marked")
    (folder / "images.json").write_text(
        json.dumps(
            {name: ["python3", str(path)] for name, path in (("odd-container", ODD_CONTAINER), ("own", TRAINING))}
        )
    )
    arguments = ["--images", str(folder / "images.json")]
    cloud = start_cloud(folder / "cloud", arguments=arguments, environment=SECRETS)
    yield cloud
    stop_cloud(cloud)


def role_of(seen: dict[str, Any], cloud: Cloud) -> str:
    """Whose credentials a child has, as STS tells it."""
    session = {name.lower(): seen[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    return str(cloud.client("sts", **session).get_caller_identity()["Arn"]).rpartition(":")[2]


def check(seen: dict[str, Any], cloud: Cloud) -> None:
    text = json.dumps(seen)
    assert MARK not in text
    assert cloud.key["AWS_SECRET_ACCESS_KEY"] not in text


def test_a_function_sees_no_secret_and_has_its_roles_session(marked: Cloud) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", CODE)
    functions, name = marked.client("lambda"), unique("function")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=make_role(marked.client("iam"), "of-the-function", "/path/"),
        Handler="code.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    seen = json.load(functions.invoke(FunctionName=name)["Payload"])
    check(seen, marked)
    assert role_of(seen, marked) == f"assumed-role/of-the-function/{name}"


def test_an_endpoint_sees_no_secret_and_its_session_ends_with_it(marked: Cloud) -> None:
    serving = Serving(marked)
    name = serving.odd()
    answer = serving.runtime.invoke_endpoint(EndpointName=name, Body=b"", ContentType="test/echo")
    seen = json.load(answer["Body"])["environment"]
    check(seen, marked)
    assert role_of(seen, marked) == "assumed-role/tests/SageMaker"
    serving.sagemaker.delete_endpoint(EndpointName=name)
    eventually(lambda: not lives(seen, marked))


def test_a_training_job_sees_no_secret_and_its_session_ends_with_it(marked: Cloud) -> None:
    s3, sagemaker, bucket, name = marked.client("s3"), marked.client("sagemaker"), unique("bucket"), unique("job")
    s3.create_bucket(Bucket=bucket)
    request = training_request(name, bucket) | {"InputDataConfig": [], "HyperParameters": {"do": "see"}}
    del request["InputDataConfig"]
    request["AlgorithmSpecification"]["TrainingImage"] = "000000000000.dkr.ecr.us-east-1.amazonaws.com/own:1"
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen = environment_of(s3, job["ModelArtifacts"]["S3ModelArtifacts"])
    check(seen, marked)
    assert seen["AWS_SESSION_TOKEN"] and not lives(seen, marked)


def environment_of(s3: Any, uri: str) -> dict[str, Any]:
    import tarfile

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content = io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with tarfile.open(fileobj=content) as tar:
        file = tar.extractfile("seen.json")
        assert file is not None
        return dict(json.load(file)["environment"])


def lives(seen: dict[str, Any], cloud: Cloud) -> bool:
    from botocore.exceptions import ClientError

    try:
        return bool(role_of(seen, cloud))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidClientTokenId"
        return False


def test_nothing_in_the_data_folder_is_others_to_read(marked: Cloud) -> None:
    marked.client("secretsmanager").create_secret(Name=unique("secret"), SecretString="secret")
    eventually(lambda: list((marked.data / "state").glob("secretsmanager*")))
    everything = [marked.data, *marked.data.rglob("*")]
    assert len(everything) > 10
    for path in everything:
        if path.exists() and not path.is_symlink() and path.name != "cloud.log":  # the tests' own
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_an_older_folder_is_mended(tmp_path: Path) -> None:
    data = tmp_path / "cloud"
    (data / "s3" / "bucket").mkdir(parents=True)
    (data / "s3" / "bucket" / "key").write_text("secret")
    (data / "state").mkdir()
    (data / "state" / "secretsmanager.json").write_text("{}")
    (data / "outside").symlink_to(tmp_path)
    (tmp_path / "not-ours").write_text("")
    for path in (tmp_path, data, *data.rglob("*"), tmp_path / "not-ours"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    stop_cloud(start_cloud(data))
    for path in (data, data / "s3" / "bucket", data / "state"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE((data / "s3" / "bucket" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "not-ours").stat().st_mode) == 0o644


def test_a_folder_that_is_closed_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o640)
    close_to_others(tmp_path)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
