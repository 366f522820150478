// Requests to the control API about the page's sandbox. The cookie of the console authorizes them.
export function ask(path, { method = "GET", body, headers = {} } = {}) {
  const sent = { "X-Emulator-Sandbox": document.body.dataset.sandbox, ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  return fetch(path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
}

export function showProblem(text) {
  const problem = document.getElementById("problem");
  problem.textContent = text;
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}
