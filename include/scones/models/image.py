"""Builds the project's own training and serving container, pushes it to the foundation's registry, and has runs use it.

The parameter `ContainerImageTag` goes back to another. Models that were made before go on with the image that they had.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from include.scones import container_images, settings, stacks

CONTEXT = "include/image_classification"


def build() -> str:
    here = settings.load()
    repository = stacks.deploy_foundation(here).outputs["ContainerRepository"]
    tag, image = container_images.publish(here, repository, f"{CONTEXT}/Dockerfile", CONTEXT)
    chosen = f"{here.stack_parameters} ContainerImageTag={tag}"
    stacks.deploy_foundation(replace(here, stack_parameters=chosen))
    return image


if __name__ == "__main__":
    sys.exit(container_images.command(build))
