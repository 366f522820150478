// Brings the numbers of a page up to date: elements with `data-live` get their content from the page as it is now. Lists
// have none: they change only when their reader wants it, who has then switched on `data-live="list"`.
let asked = false;
let again = false;

async function renew() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const now = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const found = now.getElementById(old.id);
    if (found && !old.contains(document.activeElement)) old.replaceWith(found);
  }
  document.dispatchEvent(new Event("renewed"));
}

// One request at a time, whatever the number of news.
document.addEventListener("news", async (event) => {
  if (!document.querySelector("[data-live]")) return;
  // What a live list shows need not be counted.
  if (document.querySelector('[data-live="list"]')) event.preventDefault();
  again = asked;
  if (asked) return;
  asked = true;
  do {
    again = false;
    await renew().catch(() => {});
  } while (again);
  asked = false;
});
