// In an area with `data-tab`, Tab indents by two spaces. Esc leaves the area, and Tab moves on from there.
document.addEventListener("keydown", (event) => {
  const area = event.target;
  if (event.key !== "Tab" || event.shiftKey || !area.matches("textarea[data-tab]") || area.readOnly) return;
  event.preventDefault();
  area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
});
