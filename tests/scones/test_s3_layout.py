"""Where things lie in the bucket is said once: by the library, and what repeats it says the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from include.scones import s3_layout
from include.scones.batch.job import Job
from include.scones.log_groups import TRAINING_JOBS
from include.scones.stacks import TEMPLATES
from tests.conftest import ROOT

PLACES = {value for name, value in vars(s3_layout).items() if name.isupper() and isinstance(value, str)}
FOLDERS = ("include/scones", "include/operators", "include/pages", "include/launcher", "dags", "plugins")
# The capture report can be pointed at other prefixes, and has them as defaults of its own.
ELSEWHERE = ("include/scones/s3_layout.py",)


def texts(path: Path) -> Iterator[str]:
    """The string constants of a module, without its docstrings."""
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_other_module_types_a_place_in_the_bucket() -> None:
    typed = [
        (path.relative_to(ROOT).as_posix(), text)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.relative_to(ROOT).as_posix().startswith(ELSEWHERE)
        for text in texts(path)
        if any(re.fullmatch(rf"(s3://[^/]*/|/)?{re.escape(place)}[^ ]*", text) for place in PLACES)
    ]
    assert typed == [], "take it from include/scones/s3_layout.py"


def test_templates_allow_what_the_layout_has() -> None:
    for path in sorted(TEMPLATES.glob("*.yaml")):
        text = path.read_text()
        for key in re.findall(r":s3:::\$\{BucketName\}/([^\s\"']+)", text):
            known = key == "*" or key.removesuffix("*") in PLACES
            assert known, f"{path.name} names {key}, which is not in include/scones/s3_layout.py"
        for prefix in re.findall(r"\^(\w+/)\.\+", text):
            assert prefix == s3_layout.CODE, path.name
    foundation = (TEMPLATES / "foundation.yaml").read_text()
    assert f"Prefix: {s3_layout.CAPTURES}" in foundation


def test_the_trigger_form_of_batch_inference_names_the_layouts_prefix() -> None:
    assert f'pattern="^{s3_layout.BATCH}.+"' in (ROOT / "dags" / "batch_inference.py").read_text()


def test_list_images_writes_where_the_job_reads() -> None:
    job = Job("run", "b", "batch/x", "in", "p/", "e", [], 0.5)
    written = 'f"{self.output}/manifest/shard-{self.now.shards:05}.jsonl"'
    assert written in (ROOT / "lambdas" / "list_images.py").read_text()
    assert job.manifest(7) == "batch/x/manifest/shard-00007.jsonl"


def test_training_jobs_log_where_the_local_cloud_writes() -> None:
    sources = [path.read_text() for path in (ROOT / "include" / "local_cloud").rglob("*.py")]
    assert any(f'"{TRAINING_JOBS}"' in source for source in sources)
