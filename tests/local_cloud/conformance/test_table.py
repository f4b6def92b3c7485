"""The README's conformance table has every operation that the code has, and each was called; differences are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import conformance, conformance_table


def line(operation: str, status: int = 200, client: str = "boto3", *differences: str) -> dict[str, Any]:
    return {
        **{"service": "sagemaker", "operation": operation, "client": client, "status": status},
        "differences": list(differences),
    }


def test_the_readme_has_every_operation_of_the_projects_own_services() -> None:
    own = {row for row in conformance_table.rows(conformance_table.shown()) if row[0] in conformance_table.OWN}
    assert own == conformance_table.claimed(), "run `make conformance`, or add the operation's row"


def test_no_operation_of_the_readme_is_without_a_client() -> None:
    rows = conformance_table.rows(conformance_table.shown())
    assert [row for row, clients in rows.items() if not clients] == [], (
        "a test must call it: then run `make conformance`"
    )


def test_the_readme_tells_what_differs() -> None:
    shown = conformance_table.shown()
    for (service, operation), remarks in conformance_table.remarks().items():
        (row,) = [row for row in shown.splitlines() if row.startswith(f"| {service} | `{operation}` |")]
        assert all(remark in row for remark in remarks), "run `make conformance`"


def test_what_was_called_to_its_good_end_counts(tmp_path: Path) -> None:
    written = [
        line("CreateModel"),
        line("CreateModel", 200, "Airflow"),
        line("DeleteModel", 400),
        line("ListModels", 200, ""),
        line("AddTags", 200, "boto3", "Colour is unknown"),
    ]
    text = "".join(json.dumps(each) + "\n" for each in written) + '{"service": "sagem'
    (tmp_path / "a.jsonl").write_text(text)
    clients, seen = conformance_table.called(tmp_path)
    assert clients == {("sagemaker", "CreateModel"): {"boto3", "Airflow"}, ("sagemaker", "AddTags"): {"boto3"}}
    assert seen == {("sagemaker", "AddTags", "Colour is unknown")}


def test_a_claim_without_a_test_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(line("CreateModel")) + "\n")
    monkeypatch.setattr("sys.argv", ["conformance_table", str(tmp_path)])
    assert conformance_table.main() == 1
    told = capsys.readouterr().err
    assert "no test calls batch SubmitJob, which is claimed" in told
    assert "CreateModel" not in told


def test_a_difference_that_is_gone_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before {conformance_table.BEGIN}old{conformance_table.END} after")
    monkeypatch.setattr(conformance_table, "README", readme)
    monkeypatch.setattr("sys.argv", ["conformance_table", str(tmp_path), "--write"])
    assert conformance_table.main() == 1
    assert "batch SubmitJob request: retryStrategy" in capsys.readouterr().err
    assert "| batch | `SubmitJob` |" in readme.read_text()
    assert "old" not in readme.read_text()


def test_a_test_fails_for_what_its_cloud_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "_read", {})
    monkeypatch.delenv(conformance.RECORDS, raising=False)
    conformance.record(tmp_path)
    file = tmp_path / conformance.FILE
    with file.open("a") as lines:
        lines.write(json.dumps(line("AddTags", 200, "boto3", "Colour is unknown")) + '\n{"service"')
    with pytest.raises(pytest.fail.Exception, match=r"sagemaker AddTags \(200\): Colour is unknown"):
        conformance.hold()
    conformance.hold()  # which was told once
    with file.open("a") as lines:
        lines.write(': "batch", "operation": "SubmitJob", "status": 200, "differences": ["x"]}\n')
    with pytest.raises(pytest.fail.Exception, match="batch SubmitJob"):
        conformance.hold()


def test_a_known_difference_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "_read", {})
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setenv(conformance.RECORDS, str(kept))
    conformance.record(tmp_path)
    for (service, operation), rows in conformance.known().items():
        written = {"service": service, "operation": operation, "status": 200}
        with (tmp_path / conformance.FILE).open("a") as lines:
            lines.write(json.dumps({**written, "differences": [row["difference"] for row in rows]}) + "\n")
    conformance.hold()
    assert [file.stat().st_size > 0 for file in kept.iterdir()] == [True]
