// Reads the failing pods again while somebody looks at the page and uses nothing in them.
const part = document.getElementById("pull-failures");
const FOUND = "#failures-found";

function again() {
  const found = document.querySelector(FOUND);
  const opened = document.querySelector(`${FOUND} details[open], dialog[open], #refresh:disabled`);
  const running = document.getElementById("id_running")?.value; // too many for that
  const used = opened || running || found.contains(document.activeElement) || !window.getSelection().isCollapsed;
  if (document.hidden || used) return;
  // The next time repeats a failed request.
  window.htmx.ajax("GET", window.location.href, { target: FOUND, select: FOUND, swap: "outerHTML show:none" }).catch(() => {});
}

if (part) window.setInterval(again, Number(part.dataset.pulseEvery));
