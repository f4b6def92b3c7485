"""MiniStack is patched only as it is known: a name that is gone, or that takes other arguments, stops the start."""

from __future__ import annotations

import ast
import subprocess
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from include.local_cloud.errors import PatchError
from include.local_cloud.ministack import patching
from include.local_cloud.ministack.patching import patch, require
from tests.conftest import CLOUD_PYTHON, ROOT

PATCHES = Path(patching.__file__).with_name("patches")
# A MiniStack without one name, under which everything is patched as at a start.
WITHOUT = """
import importlib, sys
from include.local_cloud.clock import Clock
from include.local_cloud.errors import PatchError
from include.local_cloud.ministack import patches
module, name = sys.argv[1:]
delattr(importlib.import_module(module), name)
try:
    patches.install(None, Clock())
except PatchError as error:
    print(error)
"""


def module(**names: Any) -> ModuleType:
    made = ModuleType("ministack.services.made")
    made.__dict__.update(names)
    return made


def test_what_is_there_is_replaced() -> None:
    made = module(double=lambda number: 2 * number)
    patch(made, "double", lambda double: lambda number: double(number) + 1, ("number",))
    assert made.double(4) == 9


def test_a_name_that_is_gone_is_told_with_its_module_and_the_version() -> None:
    with pytest.raises(PatchError) as caught:
        patch(module(), "_double", lambda double: double)
    assert f"MiniStack {version('ministack')} " in str(caught.value)
    assert "in ministack.services.made there is no _double;" in str(caught.value)
    with pytest.raises(PatchError, match="there is no _one and no _two"):
        require(module(_three=3), "_one", "_two", "_three")


def test_other_parameters_are_told() -> None:
    with pytest.raises(PatchError, match=r"double takes \(number, times\) and not \(number\)"):
        patch(module(double=lambda number, times: number * times), "double", lambda double: double, ("number",))


@pytest.mark.system
@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("ministack.services.cloudwatch", "_evaluate_alarm"),
        ("ministack.services.cloudwatch", "_dims_key"),
        ("ministack.services.s3", "_bucket_owner_account"),
        ("ministack.services.lambda_svc", "_execute_function_warm"),
        ("ministack.core.lambda_runtime", "_PYTHON_WORKER_SCRIPT"),
        ("ministack.services.stepfunctions", "_emit_execution_status_event"),
    ],
)
def test_a_ministack_without_a_name_is_refused(tmp_path: Path, place: str, name: str) -> None:
    told = subprocess.run(
        [str(CLOUD_PYTHON), "-c", WITHOUT, place, name],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "STATE_DIR": str(tmp_path), "S3_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert f"in {place} there is no {name};" in told.stdout, told.stderr


def test_nothing_is_patched_in_another_way() -> None:
    """An assignment to an attribute of something imported from MiniStack."""
    found = []
    for path in sorted(PATCHES.parents[1].rglob("*.py")):
        tree = ast.parse(path.read_text())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        theirs = {name.asname or name.name for node in imports for name in node.names if _of_ministack(node)}
        targets = [target for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets]
        found += [f"{path.name}: {ast.unparse(target)}" for target in targets if _changes(target, theirs)]
    assert found == []


def _of_ministack(node: ast.ImportFrom) -> bool:
    return node.level == 0 and (node.module or "").startswith("ministack")


def _changes(target: ast.expr, theirs: set[str]) -> bool:
    return isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in theirs
