// The editor of the workspace: line numbers, and beside it what lint finds and what would change, while it is typed.
import { ask, problemIn } from "./api.js";
import "./tab.js";

const PAUSE = 400;
const editor = document.getElementById("editor");
const numbers = document.getElementById("numbers");
const lint = document.getElementById("lint");
const changes = document.getElementById("diff");
const before = document.getElementById("before");
const download = document.getElementById("download");
const element = (name, text = "", properties = {}) => Object.assign(document.createElement(name), { textContent: text, ...properties });

function number() {
  const count = editor.value.split("\n").length;
  numbers.textContent = Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");
  numbers.scrollTop = editor.scrollTop;
}

function show(line) {
  const lines = editor.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  editor.focus();
  editor.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  editor.scrollTop = ((line - 6) * editor.scrollHeight) / lines.length;
}

function findingIn({ code, severity, place, line, message, why, fix }) {
  const shown = element("div", "", { className: `finding ${severity === "error" ? "bad" : ""}` });
  const head = element("p");
  head.append(element("strong", `${severity} ${code ?? ""} `));
  if (line) {
    const jump = element("button", `line ${line}`, { type: "button" });
    jump.addEventListener("click", () => show(line));
    head.append(jump, " ");
  }
  head.append(element("code", place ?? ""));
  shown.append(head, element("p", [message, why].filter(Boolean).join(" ")));
  if (fix) shown.append(element("p", fix));
  return shown;
}

async function post(path) {
  const response = await ask(path, { method: "POST", body: editor.value, headers: { "Content-Type": "application/yaml" } });
  return [response.ok, await response.json()];
}

// What does not parse has its line in the place of the error.
function problem(error) {
  const line = Number(/line (\d+)/.exec(error.where ?? "")?.[1]) || null;
  return findingIn({ severity: "error", place: error.where, line, message: problemIn({ ...error, where: null }) });
}

let asked = 0;
async function check() {
  const own = ++asked;
  const answers = await Promise.all([post("/_emulator/workspace/check"), post(`/_emulator/workspace/diff?before=${before.value}`)]).catch(() => null);
  if (own !== asked) return;
  if (!answers) return lint.replaceChildren(element("p", "The emulator does not answer."));
  const [[checked, found], [compared, { diff }]] = answers;
  const said = checked ? found.findings.map(findingIn) : [problem(found)];
  if (checked) said.unshift(element("p", found.valid ? "✓ It can be applied." : "✗ It would be refused.", { className: found.valid ? "good" : "bad" }));
  lint.replaceChildren(...said);
  changes.replaceChildren(...(compared ? diff : []).map((line) => element("span", `${line}\n`, { className: { "+": "added", "-": "removed" }[line[0]] ?? "" })));
  if (!compared) changes.textContent = "There is nothing to compare until it can be applied.";
  else if (!diff.length) changes.textContent = "No difference.";
}

function offer() {
  if (download.href) URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([editor.value], { type: "application/yaml" }));
  download.hidden = false;
}

// What an edit has ended or computed.
function applied({ computed = [], findings }) {
  const counts = computed.map((each) => element("li", `${each.audience}: ${each.entered} entered, ${each.left} left, of ${each.profiles}`));
  const list = element("ul");
  list.append(...counts);
  const others = element("p", `Applied. ${findings.length} findings. Events that wait for what was removed or disabled have ended as WORKSPACE_CHANGED.`);
  const link = element("a", "See what has ended", { href: `/console/destinations/delivery?reason=WORKSPACE_CHANGED` });
  return [others, list, link];
}

function start() {
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  };
  editor.addEventListener("input", () => {
    number();
    offer();
    if (before) soon();
  });
  editor.addEventListener("scroll", () => {
    numbers.scrollTop = editor.scrollTop;
  });
  document.addEventListener("click", ({ target }) => {
    if (target.dataset?.line) show(Number(target.dataset.line));
  });
  before?.addEventListener("change", check);
  document.addEventListener("answered", (event) => {
    document.getElementById("applied").replaceChildren(...applied(event.detail));
    check();
  });
  offer();
  if (before) check();
}

if (editor) start();
