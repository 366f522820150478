// What a form would send, as a command, as a test and as a scenario.
import { showProblem } from "./api.js";
import { requestOf } from "./requests.js";

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

function asPython(value) {
  if (value === null) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(asPython).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${asPython(each)}`).join(", ")}}`;
  return JSON.stringify(value);
}

const below = (path) => path.replace(/^\/_emulator\//, "");

// A call to the public Tracking API is copied as an app sends it, without the write key.
function callIn(path, { writeKey, ...body } = {}) {
  return path.startsWith("/v1/") ? { route: path.slice(4), body } : null;
}

const FORMS = {
  curl({ method, path, body }) {
    const call = callIn(path, body);
    if (call) return ["curl", "-s", "-u", "WRITE_KEY:", "--json", JSON.stringify(call.body), document.body.dataset.root + path].map(quoted).join(" ");
    const { sandbox, token, root } = document.body.dataset;
    const headers = sandbox === "default" ? [] : ["-H", `X-Emulator-Sandbox: ${sandbox}`];
    if (token) headers.push("-H", "X-Emulator-Control-Token: CONTROL_TOKEN");
    const sent = body === undefined ? [] : ["--json", JSON.stringify(body)];
    return ["curl", "-s", "-X", method, ...headers, ...sent, root + path].map(quoted).join(" ");
  },
  pytest({ method, path, body }) {
    const call = callIn(path, body);
    if (call) return `def test_as_in_the_console(segment):\n    segment.call(${asPython(call.route)}, ${asPython(call.body)})\n`;
    const sent = [method, below(path), ...(body === undefined ? [] : [body])].map(asPython).join(", ");
    return `def test_as_in_the_console(stackadapt):\n    stackadapt.control.request(${sent})\n`;
  },
  // JSON is YAML.
  scenario({ method, path, body }) {
    const sent = body === undefined ? "" : `\n        body: ${JSON.stringify(body)}`;
    const action = JSON.stringify(`${method} ${below(path)}`);
    return `title: As in the console\nabout: What was done in the console.\nsteps:\n  - when:\n      - control: ${action}${sent}\n`;
  },
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-as]");
  if (!button) return;
  const shown = button.parentElement.querySelector("pre");
  try {
    shown.textContent = FORMS[button.dataset.as](requestOf(button.form));
  } catch (error) {
    showProblem(error.message);
    return;
  }
  shown.hidden = false;
  // Browsers allow it on HTTPS and loopback only; the text is there to be selected.
  await navigator.clipboard?.writeText(shown.textContent).catch(() => {});
});
