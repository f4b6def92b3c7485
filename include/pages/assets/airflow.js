// Asks Airflow and the page's own routes, and leads to Airflow's pages.

export class Refusal extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

export async function call(path, body) {
  const request = { credentials: "same-origin", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    request.method = "POST";
    request.headers["Content-Type"] = "application/json";
    request.headers["X-Threshold-Tuner"] = "1";
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new Refusal("Airflow does not answer: is its API server running?");
  }
  if (answer.status === 401) throw new Refusal("You are signed out: sign in to Airflow, then open this page again.", 401);
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const detail = typeof content.detail === "string" ? content.detail : JSON.stringify(content.detail ?? content);
    throw new Refusal(answer.status === 403 ? `You may not do that: ${detail}` : detail, answer.status);
  }
  return content;
}

// A page of Airflow's, shown by the Airflow around this frame where there is one.
export function openInAirflow(event) {
  const outer = window.parent;
  if (outer === window) return;
  event.preventDefault();
  outer.history.pushState({}, "", event.currentTarget.href);
  outer.dispatchEvent(new PopStateEvent("popstate"));
}
