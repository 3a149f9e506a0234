// Follows an edit while it is made. Without this file the page reloads itself every three seconds; nothing else is lost.
// The stream sends `progress` with the steps as rendered by the server, and `ended` when there is nothing to wait for.
(() => {
  "use strict";
  const page = document.querySelector("[data-events]");
  const steps = document.getElementById("steps");
  if (!page || !steps) return;
  const again = () => setTimeout(() => location.reload(), 3000);
  if (!("EventSource" in window)) { again(); return; }
  const events = new EventSource(page.dataset.events);
  events.addEventListener("progress", (event) => {
    const says = JSON.parse(event.data);
    const rows = steps.querySelectorAll("li");
    says.steps.forEach((step, at) => {
      const row = rows[at];
      if (!row) return;
      row.className = step.state;
      if (step.state === "now") row.setAttribute("aria-current", "step"); else row.removeAttribute("aria-current");
      const what = row.querySelector(".what");
      if (what) what.textContent = step.says;
    });
  });
  events.addEventListener("ended", () => { events.close(); location.reload(); });
  events.addEventListener("error", () => { events.close(); again(); });
})();
