"""Operations are found by themselves: a module that says which one it implements needs to be named nowhere else."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType

import pytest

from include.local_cloud import batch, sagemaker
from include.local_cloud.aws_json import service_model
from include.local_cloud.batch import operations as batch_operations
from include.local_cloud.batch import protocol as batch_protocol  # noqa: F401 - it looks for operations
from include.local_cloud.batch.api import OPERATIONS as BATCH
from include.local_cloud.registry import import_all, registrar
from include.local_cloud.sagemaker import operations as sagemaker_operations
from include.local_cloud.sagemaker import protocol as sagemaker_protocol  # noqa: F401 - it looks for operations
from include.local_cloud.sagemaker.api.operation import OPERATIONS as SAGEMAKER

BOTH = [
    ("sagemaker", sagemaker, sagemaker_operations, SAGEMAKER),
    ("batch", batch, batch_operations, BATCH),
]


def declared(package: ModuleType) -> dict[str, Path]:
    """Every operation that a file of the package says that it implements, by what is written there."""
    found = {}
    for path in Path(str(package.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in node.decorator_list:
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "operation":
                        found[ast.literal_eval(call.args[0])] = path
    return found


@pytest.mark.parametrize(("service", "package", "operations", "registered"), BOTH, ids=["sagemaker", "batch"])
def test_what_is_declared_is_found_and_lies_where_it_is_looked_for(
    service: str, package: ModuleType, operations: ModuleType, registered: dict[str, object]
) -> None:
    written = declared(package)
    assert set(written) == set(registered)
    assert {path.parent for path in written.values()} == {Path(str(operations.__file__)).parent}
    assert set(registered) <= set(service_model(service).operation_names)


def test_a_new_module_needs_to_be_named_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "made_operations"
    made.mkdir()
    (made / "__init__.py").touch()
    (made / "coffee.py").write_text(
        "import made_registry\n\n\n@made_registry.operation('MakeCoffee')\ndef make_coffee(): ...\n"
    )
    operations: dict[str, object] = {}
    registry = ModuleType("made_registry")
    registry.__dict__["operation"] = registrar(operations)
    monkeypatch.setitem(sys.modules, "made_registry", registry)
    monkeypatch.syspath_prepend(str(tmp_path))
    package = __import__("made_operations")
    import_all(package)
    assert list(operations) == ["MakeCoffee"]


def test_an_operation_is_registered_once() -> None:
    operations: dict[str, object] = {}
    operation = registrar(operations)

    @operation("Do")
    def do() -> None: ...

    assert operations == {"Do": do}
    with pytest.raises(ValueError, match="operation Do is registered twice"):
        operation("Do")(do)
