"""Builds a container image with Docker or Podman, and pushes it to a repository of the account's registry.

The registry takes no tag twice, so each image has one of its own. If PIP_CONFIG_FILE names pip's configuration, the
build takes the packages from where that says.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from include.scones.aws import clients
from include.scones.errors import ImageError, SconesError
from include.scones.handlers import ROOT
from include.scones.settings import Settings

ENGINES = ("docker", "podman")
PLATFORM = "linux/amd64"  # that of the instances, and of the batch job's definition


def engine() -> str:
    """The program that builds images.

    Raises:
        ImageError: there is none.
    """
    for name in ENGINES:
        if path := shutil.which(name):
            return path
    raise ImageError(
        f"a container image is built by {' or '.join(ENGINES)}, and neither is in PATH: install one of them"
    )


def command(build: Callable[[], str]) -> int:
    """Run `build` as a command, which prints the image's registry path or why there is none; gives the exit status."""
    try:
        engine()  # before anything is made
        image = build()
    except SconesError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{image}\n")
    return 0


def publish(settings: Settings, repository: str, dockerfile: str, context: str) -> tuple[str, str]:
    """Build the image and push it; returns its tag and its registry path.

    Args:
        dockerfile: its path below the project's root, as that of the build's `context`.

    Raises:
        ImageError: there is no Docker or Podman, or it failed; what it says is on the terminal.
    """
    program = engine()
    ecr = clients.connect("ecr", settings.region)
    uri = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    tag = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    image = f"{uri}:{tag}"
    run(program, "build", *build_arguments(image, dockerfile, context))
    run(program, "login", "--username", user, "--password-stdin", uri.partition("/")[0], given=password)
    run(program, "push", image)
    return tag, image


def build_arguments(image: str, dockerfile: str, context: str) -> list[str]:
    configuration = Path(os.environ.get("PIP_CONFIG_FILE", ""))
    secret = ["--secret", f"id=pip.conf,src={configuration.absolute()}"] if configuration.is_file() else []
    return ["--platform", PLATFORM, "--file", dockerfile, *secret, "--tag", image, context]


def run(program: str, *arguments: str, given: str | None = None) -> None:
    # Secrets need BuildKit, which Docker before 23 uses only when told to.
    environment = os.environ | {"DOCKER_BUILDKIT": "1"}
    try:
        subprocess.run([program, *arguments], cwd=ROOT, input=given, text=True, check=True, env=environment)
    except subprocess.CalledProcessError as error:
        raise ImageError(
            f"{Path(program).name} {arguments[0]} ended with {error.returncode}: the lines above say why"
        ) from error
