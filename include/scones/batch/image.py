"""Builds the batch job's container image, pushes it to the batch stack's registry, and has jobs use it.

The parameter `ImageTag` goes back to another.
"""

from __future__ import annotations

import sys

from include.scones import container_images, settings, stacks
from include.scones.batch.stack import deploy_batch
from include.scones.errors import SconesError


def main() -> int:
    try:
        container_images.engine()
        here = settings.load()
        stacks.deploy_foundation(here)
        repository = deploy_batch(here).outputs["RepositoryName"]
        tag, image = container_images.publish(here, repository, "include/scones/batch/Dockerfile", ".")
        deploy_batch(here, image_tag=tag)
    except SconesError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{image}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
