// Starts a run of inference_workflow through Airflow's own API, as the person at the screen, and follows it to its end.

import { Refusal, call } from "./airflow.js";
import { element } from "./figures.js";

export const DAG = "inference_workflow";
const RUNS = `../api/v2/dags/${DAG}/dagRuns`;
const HEALTH = "../api/v2/monitor/health";
const ENDED = ["success", "failed"];
const PAUSE = 1500;

export async function start({ conf, dag_run_id }) {
  try {
    return (await call(RUNS, { logical_date: null, conf, dag_run_id })).dag_run_id;
  } catch (error) {
    if (error.status !== 409) throw error;
    throw new Refusal("Somebody else has changed the threshold at the same time: look at it again, then apply.", 409);
  }
}

// Follows a run; `show` hears of its state and tasks whenever these were asked for.
export async function follow(runId, show) {
  const path = `${RUNS}/${encodeURIComponent(runId)}`;
  for (let misses = 0; ;) {
    try {
      const run = await call(path);
      const tasks = (await call(`${path}/taskInstances?limit=200`)).task_instances;
      show(run, tasks);
      showScheduler(ENDED.includes(run.state) ? { status: "healthy" } : (await call(HEALTH)).scheduler);
      if (ENDED.includes(run.state)) return { run, tasks, path };
      misses = 0;
    } catch (error) {
      misses += 1;
      if (misses > 5) throw error;
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

export async function summary(path) {
  return (await call(`${path}/taskInstances/summarise/xcomEntries/return_value`)).value;
}

// The last error that the failed task logged.
export async function reason(path, tasks) {
  const failed = tasks.find((task) => task.state === "failed");
  if (!failed) return "";
  const at = `${path}/taskInstances/${failed.task_id}/logs/${failed.try_number}?map_index=${failed.map_index}&full_content=true`;
  const lines = (await call(at)).content;
  // The exception comes before those that caused it.
  const error = lines.findLast((line) => line.error_detail?.length)?.error_detail[0];
  return `${failed.task_id}: ${error ? error.exc_value : "its log in Airflow says why"}`;
}

function since(moment) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(moment)) / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function showScheduler({ status, latest_scheduler_heartbeat: heard }) {
  const last = heard ? `last heard of ${since(heard)} ago` : "none was ever heard of";
  document.querySelector("#scheduler").textContent = status === "healthy" ? ""
    : `No scheduler of Airflow is alive (${last}): the run waits until one is started.`;
}

export function showRun(run, tasks) {
  const moment = run.state === "queued" ? run.queued_at : run.start_date;
  const so = moment && !ENDED.includes(run.state) ? `, for ${since(moment)}` : "";
  document.querySelector("#run-state").textContent = `The run is ${run.state}${so}.`;
  const order = ["deploy", "generate_test_cases", "arguments", "execute", "summarise"];
  const lines = order.map((name) => {
    const states = tasks.filter((task) => task.task_id === name).map((task) => task.state ?? "waiting");
    const told = [...new Set(states)].map((state) => {
      const count = states.filter((other) => other === state).length;
      return states.length > 1 ? `${count} ${state}` : state;
    });
    return element("li", `${name}: ${told.join(", ") || "waiting"}`);
  });
  document.querySelector("#tasks").replaceChildren(...lines);
}

export function showSummary(rows) {
  const columns = ["image", "true_class", "predicted_class", "confidence", "outcome"];
  const head = element("tr");
  head.append(...columns.map((name) => element("th", name.replace("_", " "), { scope: "col" })));
  const body = rows.map((row) => {
    const line = element("tr");
    line.append(...columns.map((name) => {
      const value = row[name];
      return element("td", typeof value === "number" ? value.toFixed(4) : String(value ?? "–"), { class: "text" });
    }));
    return line;
  });
  const table = document.querySelector("#executions");
  table.replaceChildren(head, ...body);
  table.hidden = false;
}
