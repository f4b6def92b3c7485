"""
### The inference workflow: deploy it, run it, judge it

Creates or updates the stack of three Lambdas and the state machine, draws test images, and starts one execution for
each. An execution that fails because the model was not sure enough is an expected outcome; any other failure fails the
run.

Publishes the asset `scones_executions` with the outcomes.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Metadata, Param, dag, task

from include.operators.approval import APPROVAL, OptionalApproval
from include.operators.defaults import DAG_ARGUMENTS
from include.operators.run_types import AFTER_AN_ASSET
from include.operators.step_functions import ExecutionOperator
from include.operators.steps import step_task
from include.scones.settings import THRESHOLD

log = logging.getLogger(__name__)

ENDPOINT = Asset("scones_endpoint")
EXECUTIONS = Asset("scones_executions")


@dag(
    **DAG_ARGUMENTS,
    schedule=[ENDPOINT],
    allowed_run_types=AFTER_AN_ASSET,
    max_active_runs=1,
    tags=["scones", "inference"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(days=2),
    params={
        "threshold": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=0,
            maximum=1,
            title="Threshold",
            description=f"The least confidence accepted; the one in force ({THRESHOLD} at first) when left empty.",
        ),
        "test_cases": Param(5, type="integer", minimum=1, maximum=100, title="Test cases"),
        "seed": Param(0, type="integer", minimum=0, title="Seed", description="The same seed draws the same images."),
        "approval": APPROVAL,
    },
)
def inference_workflow() -> None:
    @step_task(longest=timedelta(minutes=30))
    def deploy(params: dict[str, Any], ti: Any) -> str:
        """Create or update the stack; returns the state machine's ARN."""
        from include.scones import settings, stacks
        from include.scones.steps import Step
        from include.scones.thresholds.deployed import check_range

        here = settings.load()
        threshold = params["threshold"]
        if threshold is None:
            threshold = stacks.threshold_in_force(here)
        else:
            check_range(here, threshold)
        return stacks.deploy_inference(here, threshold, step=Step(str(ti.id))).outputs["StateMachineArn"]

    @task
    def generate_test_cases(params: dict[str, Any], run_id: str) -> list[dict[str, Any]]:
        """Draw test images of the served model: each an execution's name, its input (`event`) and the true class."""
        from include.scones import settings
        from include.scones.inference import executions, inputs
        from include.scones.models.history import dataset_in_service

        here = settings.load()
        cases = inputs.generate_test_cases(here, dataset_in_service(here), params["test_cases"], params["seed"])
        return [case | {"name": executions.execution_name(run_id, case)} for case in cases]

    @task
    def arguments(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"name": case["name"], "state_machine_input": case["event"]} for case in cases]

    @task(outlets=[EXECUTIONS])
    def summarise(cases: list[dict[str, Any]], arns: list[str], dag_run: Any) -> Any:
        """One row an execution: image, true class, predicted class, confidence, outcome."""
        from include.scones.inference import executions

        # All are found before one is judged: those that were gone run while the retry is waited for.
        found = [executions.find(arn, case["event"]) for case, arn in zip(cases, arns, strict=True)]
        rows = [executions.judge(case, description) for case, description in zip(cases, found, strict=True)]
        log.info("\n%s", executions.summarise(rows))
        executions.raise_failures(rows)
        extra: dict[str, Any] = {"rows": rows, "since": dag_run.start_date.isoformat()}
        yield Metadata(EXECUTIONS, extra=extra)
        return rows

    approve = OptionalApproval(
        task_id="approve",
        subject="Deploy the inference workflow with the threshold {{ params.threshold or 'in force' }}?",
    )
    state_machine = deploy()
    cases = generate_test_cases()
    execute = ExecutionOperator.partial(task_id="execute", state_machine_arn=state_machine).expand_kwargs(
        arguments(cases)
    )
    approve >> state_machine >> cases
    summarise(cases, execute.output)


inference_workflow()
