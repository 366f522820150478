// What a test event led to: what Segment did and reports, and how its record ended at StackAdapt.
import { element } from "./elements.js";

const reasonLink = (reason, reasons) => element("a", { href: `${reasons}#${encodeURIComponent(reason)}`, title: "What this reason means" }, reason);

function ended({ outcome, reason, message }, reasons) {
  return [outcome ?? "nothing", ...(reason ? [", ", reasonLink(reason, reasons)] : []), message ? `: ${message}` : ""];
}

function code(words, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return element("details", {}, element("summary", {}, words), element("pre", { tabindex: "0", dir: "auto" }, text));
}

// Segment sees status 200; StackAdapt may have refused what was in the request.
function summary({ segmentReports, end, calls, matched, kept }) {
  if (end.outcome === "visible") return ["good", kept ? "The profile is visible at StackAdapt." : "The profile would be visible at StackAdapt."];
  if (segmentReports === "delivered" && end.outcome !== "queued") return ["bad", "Segment says delivered, StackAdapt refused."];
  if (!matched) return ["bad", "You may not have any subscriptions that match this event."];
  return [calls ? "" : "bad", calls ? "The request was sent." : "No request was sent."];
}

export function showTestResult(place, whole, tested, reasons) {
  const [kind, words] = summary(tested);
  const { enabled, mappings, matched, calls, segmentReports, end, request, response, payload, records } = tested;
  const rows = [
    ["Status", [enabled ? "Enabled" : "Disabled: it sends nothing until it is enabled"]],
    ["Trigger", [matched ? "matches" : "does not match"]],
    ["Mappings matched", [`${mappings.matched} of ${mappings.enabled} enabled`]],
    ["Calls", [String(calls)]],
    ["Segment reports", [segmentReports ?? "nothing", ...(tested.outcome ? [" (", ...ended(tested, reasons), ")"] : [])]],
    ["StackAdapt", ended(end, reasons)],
  ];
  place.replaceChildren(
    element("p", { class: kind }, words),
    element("table", {}, element("tbody", {}, ...rows.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, ...value))))),
    ...(payload ? [code("Payload", payload)] : []),
    ...(request ? [code(`Request: ${request.method} ${request.url}`, request.document), code("Headers", request.headers)] : []),
    ...(response ? [code(`Response: ${response.status}`, response.body)] : []),
    ...(records.length ? [code("Record", records)] : []));
  whole.hidden = false;
}
