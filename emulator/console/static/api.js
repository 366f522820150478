// Requests to the control API about the page's sandbox. The cookie of the console authorizes them.
export function ask(path, { method = "GET", body, headers = {} } = {}) {
  const sent = { "X-Emulator-Sandbox": document.body.dataset.sandbox, ...headers };
  if (body instanceof Blob) sent["Content-Type"] ??= "application/octet-stream";
  if (body !== undefined) sent["Content-Type"] ??= "application/json";
  const asItIs = body instanceof Blob || (typeof body === "string" && sent["Content-Type"] !== "application/json");
  return fetch(path, { method, headers: sent, body: body === undefined || asItIs ? body : JSON.stringify(body) });
}

// An error of the control API in words.
export function problemIn(error) {
  const allowed = error?.allowed && `Allowed: ${error.allowed}`;
  const found = error?.found && `found: ${error.found}`;
  return [error?.where, error?.message, found, allowed, error?.hint].filter(Boolean).join(" · ") || "The emulator refused it.";
}

export function showProblem(text) {
  const problem = document.getElementById("problem");
  problem.textContent = text;
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}
