// The form of a mapping. Its texts are what counts: trigger, mapping, event. The control API says what they mean, and this
// shows it as conditions, fields and findings, whose edits change the texts.
import { ask, problemIn, showProblem } from "./api.js";
import { button, element } from "./elements.js";
import { mappingFields } from "./mapping_fields.js";
import { pathsIn } from "./mapping_values.js";
import { showTestResult } from "./test_result.js";
import { triggerBuilder } from "./trigger_builder.js";
import { watchUnsaved } from "./unsaved.js";

const page = document.getElementById("mapping");
const at = (id) => document.getElementById(id);
const PAUSE = 250;
let latest = 0;
let timer;
let checked = null;
let showUnsaved;

function say(id, text) {
  at(id).textContent = text;
  at(id).hidden = !text;
}

function parsed(id) {
  try {
    const value = JSON.parse(at(id).value);
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("it is no object");
    say(`${id}-problem`, "");
    return value;
  } catch (error) {
    say(`${id}-problem`, `This is not the JSON of ${id === "event" ? "an event" : "a mapping"}: ${error.message}. Write an object, such as ${id === "event" ? '{"type": "identify"}' : '{"email": {"@path": "$.traits.email"}}'}.`);
    return null;
  }
}

const pretty = (value) => JSON.stringify(value, null, 2);

function subscription() {
  const draft = JSON.parse(at("draft").value);
  return { ...draft, trigger: at("trigger").value, mapping: parsed("json") };
}

function mistake(answer) {
  const where = answer?.where ?? "";
  const id = where.startsWith("conditions") || where.endsWith(".trigger") ? "trigger-problem" : where.includes(".mapping") ? "json-problem" : null;
  if (id) say(id, problemIn(answer));
  else showProblem(problemIn(answer));
}

const failed = (error) => showProblem(error instanceof TypeError ? "The emulator does not answer." : error.message);
const check = (conditions) => askAbout(conditions).catch(failed);

// Asks what the texts mean. Conditions that were edited become the trigger.
async function askAbout(conditions) {
  clearTimeout(timer);
  showUnsaved();
  const number = ++latest;
  const [draft, event] = [subscription(), parsed("event")];
  if (!draft.mapping || !event) return;
  if (!conditions && !draft.trigger.trim()) return say("trigger-problem", "The trigger is empty: add a condition, or write FQL.");
  const response = await ask(page.dataset.check, { method: "POST", body: { subscription: { ...draft, trigger: draft.trigger || " " }, event, ...(conditions ? { conditions } : {}) } });
  const answer = await response.json();
  if (number !== latest) return;
  if (!response.ok) return mistake(answer);
  if (conditions) at("trigger").value = answer.trigger.text;
  showUnsaved();
  checked = answer;
  show();
}

const soon = () => { latest += 1; clearTimeout(timer); timer = setTimeout(check, PAUSE); };

const builder = triggerBuilder(at("conditions"), (conditions) => {
  clearTimeout(timer);
  if (conditions.conditions.length) return check(conditions);
  at("trigger").value = "";
  check();
}, (words) => {
  clearTimeout(timer);
  // No answer to what was there before may undo the edit.
  latest += 1;
  say("trigger-problem", words);
});

const choices = {};
const fields = mappingFields(document.querySelectorAll("li.field"), {
  choices,
  problem: (text) => say("json-problem", text),
  mapping: () => parsed("json") ?? {},
  put: (mapping) => {
    at("json").value = pretty(mapping);
    fields.show(values());
    check();
  },
});
const values = () => Object.fromEntries((checked?.fields ?? []).map((each) => [each.path, each]));

function repair({ trigger, mapping }) {
  if (trigger !== undefined) at("trigger").value = trigger;
  if (mapping !== undefined) at("json").value = pretty({ ...(parsed("json") ?? {}), ...mapping });
  check();
  at(trigger === undefined ? "json" : "trigger").focus();
}

// The repair, or the alternatives to choose from, as pairs of words and repair.
function repairsOf({ repair, alternatives = [] }) {
  const chosen = alternatives.map((each) => [`Use ${Object.values(each.mapping)[0]}`, each]);
  return repair ? [[repair.trigger ? `Use ${repair.trigger}` : "Correct the mapping", repair], ...chosen] : chosen;
}

function findingItem(finding) {
  const fixes = repairsOf(finding).map(([words, each]) => button(words, () => repair(each), { class: "fix" }));
  return element("li", { class: finding.severity },
    element("strong", {}, `${finding.severity[0].toUpperCase()}${finding.severity.slice(1)}: ${finding.message}`),
    finding.allowed ? ` Allowed: ${finding.allowed}.` : "", finding.why ? ` ${finding.why}` : "", finding.fix ? ` ${finding.fix}` : "",
    fixes.length ? element("span", { class: "row" }, ...fixes) : null);
}

// Beside the trigger, beside the field that it is about, or below the fields.
function placeOf(finding) {
  const own = /subscriptions\[\d+\]\.(.*)$/.exec(finding.place)?.[1] ?? "";
  if (own === "trigger") return at("trigger-findings");
  const field = /^mapping\.(\w+)/.exec(own)?.[1] ?? (own.startsWith("mapping") ? "" : null);
  const row = field && [...page.querySelectorAll("li.field")].find((each) => each.dataset.path === field);
  return row ? row.querySelector(".findings") : at("other-findings");
}

function show() {
  const { trigger, message, findings, yaml } = checked;
  say("trigger-problem", trigger.error ? `The trigger cannot be parsed. Segment reports: ${trigger.error}. Correct the FQL, or choose conditions.` : "");
  builder.show(trigger);
  at("match").className = trigger.matched ? "good" : "bad";
  at("match").textContent = trigger.matched ? "yes · The trigger matches the sample event." : `no · ${trigger.message}`;
  for (const list of page.querySelectorAll(".findings")) list.replaceChildren();
  for (const finding of findings) placeOf(finding).append(findingItem(finding));
  fields.show(values());
  at("payload-problem").className = message ? "bad" : "good";
  at("payload-problem").textContent = message ?? (trigger.matched ? "The fields are valid for the sample event." : "");
  at("event-paths").replaceChildren(...pathsIn(checked.event).map((path) => element("option", { value: path.slice(2) })));
  at("yaml").textContent = yaml;
  at("draft").value = JSON.stringify({ ...JSON.parse(at("draft").value), trigger: trigger.text, mapping: parsed("json") });
}

function use(event) {
  at("event").value = pretty(event);
  check();
}

async function load(path) {
  const response = await ask(path);
  const answer = await response.json();
  if (!response.ok) throw new Error(problemIn(answer));
  return answer;
}

async function loadChoices() {
  for (const row of page.querySelectorAll("li.field[data-dynamic]")) {
    const { choices: found, error } = await load(`${page.dataset.own}/choices/${row.dataset.path}`);
    choices[row.dataset.path] = found.map(({ value, label }) => [value, `${label} (${value})`]);
    if (error) say("json-problem", `The list of ${row.dataset.path}: ${error.message}`);
  }
}

function listen() {
  for (const id of ["trigger", "json", "event"]) at(id).addEventListener("input", soon);
  at("recent").addEventListener("change", (event) => {
    const { value, dataset: { part, member } } = event.target.selectedOptions[0];
    if (!value) return;
    const content = part === "calls" ? "&content=true" : "";
    const path = `/_emulator/${part}?limit=1&messageId=${encodeURIComponent(value)}${content}`;
    load(path).then(({ [part]: [first] }) => first?.[member] && use(first[member])).catch(failed);
  });
  at("samples").addEventListener("change", (event) => {
    load(`${page.dataset.own}/samples`).then(({ samples }) => use(samples.find(({ name }) => name === event.target.value)?.event ?? checked.event)).catch(failed);
  });
  at("previews").addEventListener("change", (event) => page.classList.toggle("without-previews", !event.target.checked));
  at("test").addEventListener("answered", ({ detail }) => showTestResult(at("result"), at("whole"), detail, page.dataset.reasons));
}

if (page) {
  for (const id of ["json", "event"]) at(id).value = pretty(JSON.parse(at(id).value));
  showUnsaved = watchUnsaved(at("save"), at("unsaved"));
  listen();
  loadChoices().catch(failed).then(() => check());
}
