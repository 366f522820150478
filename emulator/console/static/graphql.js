// The editor of GraphQL requests: sends them to /graphql with the chosen token, as any client does.
import { ask, showProblem } from "./api.js";
import { prettyDocument } from "./graphql_text.js";
import "./graphql_schema.js";
import "./tab.js";

const form = document.getElementById("graphql");
const fields = form.elements;
const shown = (id) => document.getElementById(id);

// The name is in the page, the token is not.
async function token() {
  const response = await ask(`/_emulator/sandboxes/${encodeURIComponent(document.body.dataset.sandbox)}`);
  return (await response.json()).tokens[fields.token.value];
}

function request() {
  const body = { query: fields.document.value };
  if (fields.variables.value.trim()) body.variables = JSON.parse(fields.variables.value);
  return body;
}

function readRequest() {
  try {
    return request();
  } catch (error) {
    showProblem(`The variables are not JSON: ${error.message}`);
    return null;
  }
}

function keepInAddress() {
  const address = new URL(location.href);
  address.searchParams.delete("saved");
  for (const name of ["document", "variables", "token"]) {
    if (fields[name].value) address.searchParams.set(name, fields[name].value);
    else address.searchParams.delete(name);
  }
  history.replaceState(null, "", address);
}

function errorLine(error) {
  const item = document.createElement("li");
  const places = (error.locations ?? []).map(({ line, column }) => `line ${line}, column ${column}`).join("; ");
  item.textContent = [places, error.message].filter(Boolean).join(": ");
  return item;
}

function show(response, text, milliseconds) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A fault may answer with anything.
  }
  shown("status").textContent = `Status ${response.status} after ${Math.round(milliseconds)} ms`;
  shown("status").className = response.ok && !body?.errors ? "good" : "bad";
  shown("errors").replaceChildren(...(Array.isArray(body?.errors) ? body.errors : []).map(errorLine));
  shown("body").textContent = body === null ? text : JSON.stringify(body, null, 2);
  shown("answer").hidden = false;
}

async function send() {
  const body = readRequest();
  if (body === null) return;
  keepInAddress();
  document.getElementById("problem").hidden = true;
  try {
    const headers = { Authorization: `Bearer ${await token()}`, "Content-Type": "application/json" };
    const started = performance.now();
    const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(body) });
    show(response, await response.text(), performance.now() - started);
  } catch {
    showProblem("There was no answer: a fault may have closed the connection, or the emulator has stopped.");
  }
}

const quoted = (text) => `'${text.replaceAll("'", `'"'"'`)}'`;

async function copyAsCurl() {
  const body = readRequest();
  if (body === null) return;
  const command = `curl -s ${document.body.dataset.root}/graphql -H 'Authorization: Bearer TOKEN' --json ${quoted(JSON.stringify(body))}`;
  shown("status").textContent = "As curl; put the token in place of TOKEN";
  shown("status").className = "";
  shown("errors").replaceChildren();
  shown("body").textContent = command;
  shown("answer").hidden = false;
  await navigator.clipboard?.writeText(command).catch(() => {});
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
shown("prettify").addEventListener("click", () => {
  fields.document.value = prettyDocument(fields.document.value);
});
shown("as-curl").addEventListener("click", copyAsCurl);
