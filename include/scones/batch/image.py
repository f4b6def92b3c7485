"""Builds the batch job's container image, pushes it to the batch stack's registry, and has jobs use it.

The parameter `ImageTag` goes back to another.
"""

from __future__ import annotations

import sys

from include.scones import container_images, settings, stacks
from include.scones.batch.stack import deploy_batch


def build() -> str:
    here = settings.load()
    stacks.deploy_foundation(here)
    repository = deploy_batch(here).outputs["RepositoryName"]
    tag, image = container_images.publish(here, repository, "include/scones/batch/Dockerfile", ".")
    deploy_batch(here, image_tag=tag)
    return image


if __name__ == "__main__":
    sys.exit(container_images.command(build))
