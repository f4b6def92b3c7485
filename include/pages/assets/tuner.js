// The page: one threshold is chosen, everything shown follows it, and applying it goes through a run of the DAG.

import { call, openInAirflow } from "./airflow.js";
import { drawCurves, element, percent, placeOf, showConfusion, showImages, showNumbers } from "./figures.js";
import { DAG, follow, reason, showRun, showSummary, start, summary } from "./run.js";
import { showSteps } from "./steps.js";

const find = (selector) => document.querySelector(selector);
const page = { state: null, evidence: null, pictures: {}, chosen: null, busy: false };

function say(text) {
  find("#message").textContent = text;
  find("#message").hidden = !text;
}

function shown(threshold) {
  return threshold.toFixed(String(1 / page.state.scale).split(".")[1].length);
}

function when(moment) {
  return new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function showState() {
  const { state } = page;
  let text = `In force: ${shown(state.threshold)}`;
  if (state.set) text += `, set by ${state.set.user ?? "a run without an author"} on ${when(state.set.at)}`;
  else if (state.stack_status) text += `, not set from here; the stack was last changed on ${when(state.changed)}`;
  else text += ", the default: nothing is deployed yet";
  find("#in-force").textContent = `${text}.`;
  find("#may-not").hidden = state.may_apply;
  find("#undo").hidden = state.previous === null || state.previous < state.lowest;
  showSteps(state.steps);
  if (state.previous !== null) find("#undo").textContent = `Undo: back to ${shown(state.previous)} …`;
  showButtons();
}

function showButtons() {
  const { state, chosen } = page;
  const free = state.may_apply && !page.busy;
  find("#apply").disabled = !free || chosen === null || chosen === state.threshold;
  find("#undo").disabled = !free;
}

function read(text) {
  const value = Number(text);
  const { scale, lowest } = page.state;
  const whole = Math.round(value * scale);
  const usable = text.trim() !== "" && Number.isFinite(value) && Math.abs(value * scale - whole) <= 1e-6;
  return usable && whole >= Math.round(scale * lowest) && whole <= scale ? whole / scale : null;
}

function choose(threshold, typing = false) {
  page.chosen = threshold;
  find("#problem").textContent = threshold === null
    ? `Choose a value from ${shown(page.state.lowest)} to ${shown(1)} in steps of ${1 / page.state.scale}.` : "";
  find("#number").setAttribute("aria-invalid", String(threshold === null));
  if (threshold !== null) {
    find("#slider").value = threshold;
    if (!typing) find("#number").value = shown(threshold);
    showEvidence();
  }
  showButtons();
}

function showEvidence() {
  const place = placeOf(page.evidence.thresholds, page.chosen);
  showNumbers(page.evidence, place);
  drawCurves(page.evidence, place, page.state.threshold);
  showConfusion(page.evidence.test, place);
  showImages(page.evidence.test, place, page.chosen, page.pictures);
}

function showBasis() {
  const { test, traffic } = page.evidence;
  const days = traffic.days.map((day) => day.date);
  const demo = traffic.demo ? ` (${traffic.demo} of them made up by make demo)` : "";
  const seen = days.length ? `${traffic.requests} requests${demo} in the capture reports of ${days.length} days, ${days[0]} to ${days.at(-1)}`
    : "no capture report yet";
  find("#basis").textContent = `From ${test.count} labelled test images, answered by ${test.config}, and ${seen}.`
    + " The upright line is the value chosen, the broken one the value in force.";
  const buttons = test.presets.map(({ target, threshold }) => {
    const label = `${Math.round(100 * target)} % of accepted are right`;
    const button = element("button", threshold === null ? `${label}: never` : `${label}: ${shown(threshold)}`, { type: "button" });
    button.disabled = threshold === null;
    button.addEventListener("click", () => choose(threshold));
    return button;
  });
  find("#presets").replaceChildren(...buttons);
}

function effects(from, to) {
  const { thresholds, test, traffic } = page.evidence;
  const [before, after] = [placeOf(thresholds, from), placeOf(thresholds, to)];
  return [
    `Test images accepted: ${percent(test.accepted[before], test.count)} → ${percent(test.accepted[after], test.count)}`,
    `Right among them: ${percent(test.right[before], test.accepted[before])} → ${percent(test.right[after], test.accepted[after])}`,
    `Refused of the last days' ${traffic.requests} requests: ${traffic.requests - traffic.accepted[before]} → ${traffic.requests - traffic.accepted[after]}`,
  ];
}

async function ask(threshold) {
  if (page.busy) return;
  say("");
  const from = page.state.threshold;
  page.busy = true;
  showButtons();
  try {
    await call("api/changes", { threshold, replaces: from });
  } catch (error) {
    say(error.message);
    await refresh();
    return;
  } finally {
    page.busy = false;
    showButtons();
  }
  find("#confirm-change").textContent = `From ${shown(from)} to ${shown(threshold)}, as ${page.state.user}.`;
  find("#confirm-effects").replaceChildren(...effects(from, threshold).map((line) => element("li", line)));
  find("#go").onclick = () => {
    find("#confirm").close();
    apply(threshold, from);
  };
  find("#confirm").showModal();
}

async function apply(threshold, from) {
  page.busy = true;
  showButtons();
  try {
    const change = await call("api/changes", { threshold, replaces: from });
    await watch(await start(change), threshold);
  } catch (error) {
    say(error.message);
  } finally {
    page.busy = false;
    await refresh();
  }
}

async function watch(runId, threshold) {
  find("#run").hidden = false;
  find("#executions").hidden = true;
  find("#tasks").replaceChildren();
  find("#run-state").textContent = "The run is queued.";
  find("#run-link").setAttribute("href", `../dags/${DAG}/runs/${encodeURIComponent(runId)}`);
  const { run, tasks, path } = await follow(runId, showRun);
  page.state = await call("api/state");
  const now = shown(page.state.threshold);
  const done = threshold === null || page.state.threshold === threshold;
  if (run.state === "success") {
    find("#run-state").textContent = `Done: the threshold in force is ${now}.`;
    showSummary(await summary(path));
  } else {
    const cause = await reason(path, tasks);
    find("#run-state").textContent = `The run failed. The threshold in force is ${now}.`;
    say(done ? `The threshold is ${now} now, but the run failed afterwards. ${cause}`
      : `The redeployment failed and nothing was changed: ${now} is still in force. ${cause}`);
  }
}

async function refresh() {
  try {
    page.state = await call("api/state");
    showState();
    if (page.chosen !== null) showEvidence();
  } catch (error) {
    say(error.message);
  }
}

async function begin() {
  try {
    page.state = await call("api/state");
    page.chosen = Math.max(page.state.threshold, page.state.lowest);
    showState();
    if (!page.state.steps.find((step) => step.dag_id === "train_and_deploy").done) return;
    page.evidence = await call("api/evidence");
  } catch (error) {
    if (page.state === null) find("#in-force").textContent = "";
    say(error.message);
    return;
  }
  for (const input of ["#slider", "#number"]) Object.assign(find(input), { min: page.state.lowest, step: 1 / page.state.scale });
  find("#tuner").hidden = false;
  showBasis();
  choose(Math.round(page.chosen * 100) / 100);
  find("#slider").addEventListener("input", (event) => choose(read(event.target.value)));
  find("#number").addEventListener("input", (event) => choose(read(event.target.value), true));
  find("#number").addEventListener("change", () => page.chosen !== null && choose(page.chosen));
  find("#apply").addEventListener("click", () => ask(page.chosen));
  find("#undo").addEventListener("click", () => ask(page.state.previous));
  find("#cancel").addEventListener("click", () => find("#confirm").close());
  find("#run-link").addEventListener("click", openInAirflow);
  window.addEventListener("resize", () => page.chosen !== null && showEvidence());
  if (page.state.run) resume(page.state.run.run_id);
  try {
    page.pictures = await call("api/images");
    if (page.chosen !== null) showEvidence();
  } catch (error) {
    say(error.message);
  }
}

async function resume(runId) {
  page.busy = true;
  showButtons();
  try {
    await watch(runId, null);
  } catch (error) {
    say(error.message);
  } finally {
    page.busy = false;
    await refresh();
  }
}

begin();
