"""The templates' parameters: which there are, and those that the operator sets by `SCONES_STACK_PARAMETERS`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.scones.aws.templates import parameters_of
from include.scones.errors import StackError

TEMPLATES = Path(__file__).parents[2] / "infrastructure"


def knobs(template: Path) -> dict[str, dict[str, Any]]:
    """The parameters that are the operator's: those with a default that the code does not send itself."""
    own = ("Threshold", "CreateBucket")
    return {
        name: described
        for name, described in parameters_of(template).items()
        if "Default" in described and name not in own and not name.endswith("Version")
    }


def chosen(text: str, template: Path) -> dict[str, str]:
    """What a setting such as `LowConfidenceErrors=10 LogRetentionDays=90` says of one template's parameters.

    Raises:
        StackError: it is not of that form, or names what no template lets an operator set.
    """
    known = {name for path in TEMPLATES.glob("*.yaml") for name in knobs(path)}
    given: dict[str, str] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            raise StackError(
                f"SCONES_STACK_PARAMETERS says {word!r}: give Name=value, with a space between two, and a name of"
                f" {', '.join(sorted(known))}"
            )
        given[name] = value
    return {name: value for name, value in given.items() if name in knobs(template)}
