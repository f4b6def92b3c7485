"""Builds the batch job's container image with Docker, pushes it to the batch stack's registry, and has jobs use it.

The registry takes no tag twice, so each image has one of its own; the parameter `ImageTag` goes back to another.
If PIP_CONFIG_FILE names pip's configuration, the build takes the packages from where that says.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from include.scones import settings, stacks
from include.scones.aws import clients
from include.scones.batch.stack import deploy_batch
from include.scones.handlers import ROOT

PLATFORM = "linux/amd64"  # the job definition's


def main() -> int:
    here = settings.load()
    stacks.deploy_foundation(here)
    repository = deploy_batch(here).outputs["RepositoryName"]
    ecr = clients.connect("ecr", here.region)
    uri = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    tag = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    registry, image = uri.partition("/")[0], f"{uri}:{tag}"
    docker("login", "--username", user, "--password-stdin", registry, given=password)
    docker(*build_command(image))
    docker("push", image)
    deploy_batch(here, image_tag=tag)
    sys.stdout.write(f"{image}\n")
    return 0


def build_command(image: str) -> list[str]:
    configuration = Path(os.environ.get("PIP_CONFIG_FILE", ""))
    secret = ["--secret", f"id=pip.conf,src={configuration.absolute()}"] if configuration.is_file() else []
    dockerfile = ["--file", "include/scones/batch/Dockerfile"]
    return ["build", "--platform", PLATFORM, *dockerfile, *secret, "--tag", image, "."]


def docker(*arguments: str, given: str | None = None) -> None:
    # Secrets need BuildKit, which Docker before 23 uses only when told to.
    environment = os.environ | {"DOCKER_BUILDKIT": "1"}
    subprocess.run(["docker", *arguments], cwd=ROOT, input=given, text=True, check=True, env=environment)


if __name__ == "__main__":
    sys.exit(main())
