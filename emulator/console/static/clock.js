// How many records become visible next, and when.
import { ask } from "./api.js";

function inWords(milliseconds) {
  const minutes = Math.max(1, Math.round(milliseconds / 60_000));
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

async function showNext() {
  const next = document.getElementById("next");
  const [counts, queued] = await Promise.all([ask("/_emulator/counts"), ask("/_emulator/records?outcome=queued&limit=1")]);
  if (!counts.ok || !queued.ok) return;
  const number = (await counts.json()).stackadapt.records.queued;
  const [first] = (await queued.json()).records;
  if (!first) return;
  const left = Date.parse(first.dueAt) - Date.parse(document.getElementById("clock").dataset.now);
  next.textContent = `next: ${number} ${number === 1 ? "record becomes" : "records become"} visible in ${inWords(left)}`;
}

if (document.getElementById("next")) showNext().catch(() => {});
