// The settings of a destination: after Test connection, the advertisers of the token that was typed, saved or not.
import { button, element } from "./elements.js";

const field = (name) => document.getElementById(`setting-${name}`);
const tested = document.getElementById("tested");

function offer(advertisers) {
  const offered = document.getElementById("offered");
  if (!offered) return;
  document.getElementById("advertisers").replaceChildren(...advertisers.map(({ value, label }) => element("option", { value }, label)));
  const buttons = advertisers.map(({ value, label }) => button(`${label} (${value})`, null, { "data-fill": "setting-advertiser_id", "data-value": value }));
  offered.replaceChildren(...buttons.flatMap((each) => [each, " "]));
  // The only one needs no choice.
  if (advertisers.length === 1 && !field("advertiser_id").value) buttons[0].click();
}

if (tested) {
  document.addEventListener("answered", ({ detail }) => { if (detail?.passed) offer(detail.advertisers); });
  for (const input of document.querySelectorAll("[id^=setting-]")) {
    input.addEventListener("input", () => {
      for (const stale of document.querySelectorAll(`[data-stale="${input.id}"]`)) stale.hidden = input.value !== "";
      // The answer was about another token.
      if (input === field("apiKey")) tested.hidden = true;
    });
  }
}
