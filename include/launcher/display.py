"""What the terminal shows: the chain of DAGs while it runs, and the summary when it has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from include.launcher.workflow import Step

STYLES = {"success": "green", "failed": "red", "running": "yellow", "queued": "yellow"}
OUTCOME_STYLES = {"accepted": "green", "refused": "yellow", "failed": "red"}


def follow(console: Console, states: Iterable[list[Step]]) -> list[Step]:
    """Show the steps as they change: a live table on a terminal, a line a change elsewhere."""
    steps: list[Step] = []
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4) as live:
            for steps in states:
                live.update(_table(steps))
        return steps
    said: dict[str, str] = {}
    for steps in states:
        for step in steps:
            line = f"{step.dag_id}: {step.state}, {_progress(step)}"
            if step.run_id and said.get(step.dag_id) != line:
                said[step.dag_id] = line
                console.print(escape(line), highlight=False)
    return steps


def _progress(step: Step) -> str:
    parts = [f"{step.done}/{len(step.tasks)} tasks", ", ".join(step.active), step.note]
    return " · ".join(part for part in parts if part)


def _table(steps: list[Step]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("DAG", "state", "progress"):
        table.add_column(column)
    table.add_column("s", justify="right")
    for step in steps:
        state = f"[{STYLES.get(step.state, 'dim')}]{step.state}[/]"
        table.add_row(
            step.dag_id,
            state,
            escape(_progress(step)) if step.run_id else "",
            f"{step.seconds:.0f}" if step.run_id else "",
        )
    return table


def summarise(console: Console, published: dict[str, dict[str, Any]], seconds: dict[str, float], copy: Path) -> None:
    """Print what the run did, from what its DAGs published: data, accuracy, endpoint, executions, report."""
    data, endpoint = published["scones_dataset"], published["scones_endpoint"]
    executions, report = published["scones_executions"], published["scones_report"]
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_row("Data", f"{data['provenance']} ({data['source']})")
    facts.add_row("", f"{data['train']} training and {data['test']} test images of {', '.join(data['classes'])}")
    facts.add_row("Validation accuracy", f"{endpoint['accuracy']:.4f}")
    facts.add_row("Endpoint", f"{endpoint['endpoint']} ({endpoint['right']} of {endpoint['images']} smoke tests right)")
    facts.add_row("Captured today", f"{report['records']} records, {report['low_confidence']} below the threshold")
    facts.add_row("Time", ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items()))
    console.print()
    console.print(_executions(executions["rows"]))
    console.print(facts)
    # Apart, so that a narrow terminal does not cut the address.
    console.print(f"Report: {escape(copy.as_uri())}", soft_wrap=True, highlight=False)


def _executions(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="State machine executions", box=box.SIMPLE_HEAD, title_justify="left")
    for column in ("image", "true class", "predicted class"):
        table.add_column(column, overflow="fold")
    table.add_column("confidence", justify="right")
    table.add_column("outcome")
    for row in rows:
        confidence = row["confidence"]
        table.add_row(
            escape(row["image"]),
            row["true_class"],
            row["predicted_class"] or "-",
            f"{confidence:.4f}" if confidence is not None else "-",
            f"[{OUTCOME_STYLES[row['outcome']]}]{row['outcome']}[/]",
        )
    return table
