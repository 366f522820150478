// Counts what happened since the page was made; the list itself changes only when its reader wants it to.
import { ask } from "./api.js";

const EVERY = 2000;
const news = document.getElementById("news");
let cursor = document.body.dataset.cursor;
let tag = null;
let count = 0;

function show(missed) {
  count += missed;
  if (!count) return;
  news.textContent = `${count} new`;
  news.hidden = false;
}

async function poll() {
  if (document.visibilityState !== "visible") return;
  const path = `/_emulator/events?limit=1000&after=${encodeURIComponent(cursor)}`;
  const response = await ask(path, { headers: tag ? { "If-None-Match": tag } : {} });
  if (response.status !== 200) return;
  tag = response.headers.get("ETag");
  const page = await response.json();
  // More than a page: ask again at once for the rest.
  if (page.events.length === 1000) tag = null;
  cursor = page.next;
  show(page.events.length + (page.missed?.events ?? 0));
}

async function follow() {
  await poll().catch(() => {});
  setTimeout(follow, EVERY);
}

if (cursor) {
  news.addEventListener("click", () => location.reload());
  setTimeout(follow, EVERY);
}
