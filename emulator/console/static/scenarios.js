// The outcome of a run: each scenario, and for one that failed what was expected, what was found and the way of its people.
import "./tab.js";

const shown = document.getElementById("outcome");
const element = (name, text = "", properties = {}) => Object.assign(document.createElement(name), { textContent: text, ...properties });
const SIGNS = { passed: "✓", failed: "✗", skipped: "–" };

function listOf(pairs) {
  const list = element("dl", "", { className: "pairs" });
  for (const [name, value] of pairs) if (value) list.append(element("dt", name), element("dd", value));
  return list;
}

function checkIn(check) {
  const timelines = check.timelines.map((text) => element("pre", text, { tabIndex: 0 }));
  return [listOf([["At", check.place], ["Expected", check.expected], ["Found", check.found]]), ...timelines];
}

function resultIn({ title, outcome, reason, seconds, checks }) {
  const details = element("details", "", { open: outcome === "failed" });
  const summary = element("summary", `${SIGNS[outcome]} ${outcome}: ${title} (${seconds.toFixed(1)} s)`);
  summary.className = { passed: "good", failed: "bad" }[outcome] ?? "";
  details.append(summary);
  if (reason) details.append(element("p", reason));
  const failed = checks.filter((check) => !check.passed);
  const passed = checks.filter((check) => check.passed).map((check) => element("li", `${check.expected}`));
  const list = element("ul");
  list.append(...passed);
  details.append(...failed.flatMap(checkIn), list);
  return details;
}

function saving(report) {
  const link = element("a", "Save as JSON", { download: "scenarios.json" });
  link.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: "application/json" }));
  return link;
}

document.addEventListener("answered", (event) => {
  const report = event.detail;
  const counts = Object.entries(report.summary).map(([outcome, number]) => `${number} ${outcome}`).join(", ");
  const order = ["failed", "skipped", "passed"];
  const results = report.scenarios.toSorted((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome));
  shown.replaceChildren(element("h2", counts), saving(report), ...results.map(resultIn));
  shown.scrollIntoView({ block: "nearest" });
});
