"""The table of the Lambda functions: packaging, deployment, teardown and the tests of the templates go by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "lambdas"


@dataclass(frozen=True)
class Handler:
    """One function: `name` is its file's, `stack` the template's that has it.

    A state of `step_function.json` invokes those `in_workflow`.
    """

    name: str
    stack: Literal["inference", "batch"]
    in_workflow: bool = False

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.py"

    @property
    def resource(self) -> str:
        """Its name in the template, which begins the names of its role, its log group and its parameters."""
        return pascal_case(self.name)

    @property
    def function(self) -> str:
        """Its name on AWS, behind the project's."""
        return self.resource[0].lower() + self.resource[1:]


HANDLERS = (
    Handler("serialize_image_data", "inference", in_workflow=True),
    Handler("classify_image", "inference", in_workflow=True),
    Handler("filter_inferences", "inference", in_workflow=True),
    Handler("notify_failures", "inference"),
    Handler("list_images", "batch"),
)


def pascal_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
