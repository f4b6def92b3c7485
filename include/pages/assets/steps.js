// The checklist of what has to be there: which DAG's run has brought its part, and which comes next.

import { call, openInAirflow } from "./airflow.js";
import { element } from "./figures.js";

// The state of a run of the DAG that has not ended, if there is one and this user may know.
async function underWay(dag) {
  try {
    const { dag_runs: [run] } = await call(`../api/v2/dags/${dag}/dagRuns?state=queued&state=running&limit=1`);
    return run?.state;
  } catch {
    return undefined;
  }
}

export async function showSteps(steps) {
  const next = steps.find((step) => !step.done);
  const state = next && await underWay(next.dag_id);
  const lines = steps.map((step) => {
    const link = element("a", step.dag_id, { href: `../dags/${step.dag_id}` });
    link.addEventListener("click", openInAirflow);
    const line = element("li", undefined, { class: step.done ? "done" : step === next ? "next" : "later" });
    const word = step.done ? "✓ " : step !== next ? "then " : state ? "" : "Trigger ";
    line.append(word, link, step === next && state ? ` is ${state}: ${step.brings}` : `: ${step.brings}`);
    return line;
  });
  document.querySelector("#steps").replaceChildren(...lines);
  document.querySelector("#checklist").hidden = next === undefined;
}
