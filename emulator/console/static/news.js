// Counts what happened since the page was made; the list itself changes only when its reader wants it to. An element with
// `data-news` names the kinds of events that count.
import { ask } from "./api.js";

const EVERY = document.querySelector('[data-live="list"]') ? 1000 : 2000;
const PAGE = 1000;
const news = document.getElementById("news");
let cursor = document.body.dataset.cursor;
let tag = null;
let count = 0;

function show(missed) {
  if (!missed) return;
  if (!document.dispatchEvent(new Event("news", { cancelable: true }))) return;
  count += missed;
  news.textContent = `${count} new`;
  news.hidden = false;
}

async function poll() {
  if (document.visibilityState !== "visible") return;
  const kinds = document.querySelector("[data-news]")?.dataset.news;
  const path = `/_emulator/events?limit=${PAGE}&after=${encodeURIComponent(cursor)}${kinds ? `&kinds=${kinds}` : ""}`;
  const response = await ask(path, { headers: tag ? { "If-None-Match": tag } : {} });
  if (response.status !== 200) return;
  tag = response.headers.get("ETag");
  const page = await response.json();
  cursor = page.next;
  show(page.events.length + (page.missed?.events ?? 0));
  return page.events.length === PAGE;
}

// After a full page the rest is asked for at once.
async function follow() {
  const more = await poll().catch(() => false);
  setTimeout(follow, more ? 0 : EVERY);
}

if (cursor) {
  news.addEventListener("click", () => location.reload());
  setTimeout(follow, EVERY);
}
