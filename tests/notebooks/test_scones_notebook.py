"""The notebook runs from first to last cell on a local cloud and a small drawn sample, and is kept unexecuted."""

from __future__ import annotations

from typing import Any

import nbclient
import nbformat
import pytest

from include.scones.cifar.sample import write_sample
from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks" / "scones.ipynb"
CASES = 6
Notebook = Any


def read() -> Notebook:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def code(source: str) -> Any:
    return nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def executed(cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    """Executed as a project of its own, with other values put right after the cell that is meant to be changed."""
    archive = write_sample(tmp_path_factory.mktemp("archive") / "sample.tar.gz", train=60, test=20)
    notebook = read()
    values = {"ARCHIVE": str(archive), "EPOCHS": 4, "MIN_ACCURACY": 0, "TEST_CASES": CASES}
    place = next(n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    notebook.cells.insert(place + 1, code("\n".join(f"{name} = {value!r}" for name, value in values.items())))
    # Once more over the endpoint that is there by then.
    place = next(n for n, cell in enumerate(notebook.cells) if "Endpoint.create(" in cell.source)
    notebook.cells[place + 1 : place + 1] = [code('name += "-2"'), code(notebook.cells[place].source)]
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCONES_PROJECT", "scones-notebook")
        client.execute()
    return notebook


def outputs(notebook: Notebook, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]


def test_it_trains_deploys_executes_and_reads_what_was_captured(executed: Notebook) -> None:
    (summary,) = [text for text in outputs(executed, "text/markdown") if "executions:" in text]
    assert f"{CASES} executions: " in summary and ", 0 failed;" in summary
    texts = outputs(executed, "text/plain")
    assert any("'provenance': 'sample'" in text for text in texts)
    assert any("SerializeImageData -> ClassifyImage -> FilterInferences" in text for text in texts)
    assert str(CASES) in texts  # of the captured requests since the executions began


def test_it_has_pictures(executed: Notebook) -> None:
    """The data, the first test image, the state machine, the scatter plot and the histogram."""
    assert len(outputs(executed, "image/png")) == 5


def test_it_is_kept_without_outputs() -> None:
    cells = [cell for cell in read().cells if cell.cell_type == "code"]
    assert not [cell for cell in cells if cell.outputs or cell.execution_count is not None]
