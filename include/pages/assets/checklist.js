// The reports' page where there is no report yet.

import { call } from "./airflow.js";
import { showSteps } from "./steps.js";

try {
  await showSteps(await call("api/steps"));
} catch (error) {
  document.querySelector("#message").textContent = error.message;
  document.querySelector("#message").hidden = false;
}
