// Sends the forms of actions: the fields are the body, and a name with a dot is a field of an object in it.
import { ask, showProblem } from "./api.js";

function bodyOf(form) {
  const body = {};
  for (const [name, value] of new FormData(form)) {
    const keys = name.split(".");
    const last = keys.pop();
    keys.reduce((inner, key) => (inner[key] ??= {}), body)[last] = value;
  }
  return Object.keys(body).length ? body : undefined;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form.act")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await ask(form.dataset.path, { method: form.dataset.method, body: bodyOf(form) });
    if (response.ok) {
      // What was made or removed is in the list; its form and its details are closed.
      const next = new URL(location.href);
      if (!form.closest("header")) for (const name of ["create", "segment", "trace"]) next.searchParams.delete(name);
      next.hash = "";
      location.assign(next);
      return;
    }
    const error = await response.json();
    showProblem([error.where, error.message, error.hint].filter(Boolean).join(": "));
  } catch {
    showProblem("The emulator does not answer.");
  }
  button.disabled = false;
});
