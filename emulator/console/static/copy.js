// Copies the code beside a button, or the field that it names.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const code = document.getElementById(button.dataset.copy) ?? button.parentElement.querySelector("code, pre");
  try {
    await navigator.clipboard.writeText(code.value ?? code.textContent);
    button.textContent = "Copied";
  } catch {
    // Browsers allow it on HTTPS and loopback only.
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
});
