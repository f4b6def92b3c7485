// The checklist of what has to be there: which DAG's run has brought its part, and which comes next.

import { openInAirflow } from "./airflow.js";
import { element } from "./figures.js";

export function showSteps(steps) {
  const next = steps.find((step) => !step.done);
  const lines = steps.map((step) => {
    const link = element("a", step.dag_id, { href: `../dags/${step.dag_id}` });
    link.addEventListener("click", openInAirflow);
    const line = element("li", undefined, { class: step.done ? "done" : step === next ? "next" : "later" });
    line.append(step.done ? "✓ " : step === next ? "Trigger " : "then ", link, `: ${step.brings}`);
    return line;
  });
  document.querySelector("#steps").replaceChildren(...lines);
  document.querySelector("#checklist").hidden = next === undefined;
}
