// The time of the emulator, as it passes, and how many records become visible next, and when.
import { ask } from "./api.js";

const opened = Date.now();

function now() {
  const { now: at, frozen } = document.getElementById("clock").dataset;
  return Date.parse(at) + (frozen ? 0 : Date.now() - opened);
}

function showTime() {
  const time = document.querySelector("#clock time");
  if (!document.getElementById("clock").dataset.frozen) time.textContent = `${new Date(now()).toISOString().slice(0, 19)}Z`;
}

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
  const what = number === 1 ? "record becomes" : "records become";
  next.textContent = first ? `next: ${number} ${what} visible in ${inWords(Date.parse(first.dueAt) - now())}` : "";
}

if (document.getElementById("clock")) {
  setInterval(showTime, 1000);
  showNext().catch(() => {});
  document.addEventListener("news", () => showNext().catch(() => {}));
}
