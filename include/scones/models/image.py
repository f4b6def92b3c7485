"""Builds the project's own training and serving container, pushes it to the foundation's registry, and has runs use it.

The parameter `ContainerImageTag` goes back to another. Models that were made before go on with the image that they had.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from include.scones import container_images, settings, stacks
from include.scones.errors import SconesError

CONTEXT = "include/image_classification"


def main() -> int:
    try:
        container_images.engine()
        here = settings.load()
        repository = stacks.deploy_foundation(here).outputs["ContainerRepository"]
        tag, image = container_images.publish(here, repository, f"{CONTEXT}/Dockerfile", CONTEXT)
        chosen = f"{here.stack_parameters} ContainerImageTag={tag}"
        stacks.deploy_foundation(replace(here, stack_parameters=chosen))
    except SconesError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{image}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
