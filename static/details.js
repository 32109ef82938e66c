// Updates an open details page in place, so that focus, selected text and scroll position stay.
const page = document.getElementById("details-page");

// What the reader opened stays open.
function mergeAttributes(old, fresh) {
  const own = old.matches("details") ? "open" : "";
  for (const name of old.getAttributeNames()) if (name !== own && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

// Replace elements that poll: polling has to start or stop.
function merge(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const same = old.nodeName === fresh.nodeName && old.id === fresh.id;
  if (!same || old.hasAttribute?.("hx-get") || fresh.hasAttribute?.("hx-get")) {
    old.replaceWith(fresh);
  } else if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = fresh.data;
  } else {
    mergeAttributes(old, fresh);
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    for (const surplus of before.slice(after.length)) surplus.remove();
    after.forEach((child, place) => (before[place] ? merge(before[place], child) : old.append(child)));
  }
}

// While a test is under way, a second press would start nothing. Disabled, the button would lose the focus.
function hold() {
  const button = document.getElementById("test-button");
  const panel = document.getElementById("panel");
  if (!button || button.disabled || !panel) return;
  if (panel.hasAttribute("hx-get")) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

// The same for tests from nodes, whose dialog waits for each of them.
function holdNodeTest() {
  const waits = document.querySelector("#node-test-form .verdict-busy") !== null;
  const start = document.getElementById("node-test-start");
  if (start && waits) start.setAttribute("aria-disabled", "true");
  else start?.removeAttribute("aria-disabled");
}

document.addEventListener("htmx:afterSettle", holdNodeTest);
holdNodeTest();
window.addEventListener("submit", (event) => {
  const { id, ariaDisabled } = event.submitter ?? {};
  if (!["test-button", "node-test-start"].includes(id) || ariaDisabled !== "true") return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

async function refresh() {
  const state = document.getElementById("details-state");
  if (!state || document.querySelector("dialog[open]")) return;
  const query = new URLSearchParams(window.location.search);
  query.set("version", state.dataset.version);
  const url = `${window.location.pathname}?${query}`;
  // The next poll repeats a failed request.
  await window.htmx.ajax("GET", url, { source: "#details-state", target: "#details-page", swap: "merge" }).catch(() => {});
}

if (page) {
  // The filter of the list that led here stays with the page, also after a reload.
  if (page.dataset.query && !window.location.search) window.history.replaceState(window.history.state, "", page.dataset.query);
  window.htmx.defineExtension("merge", {
    isInlineSwap: () => false,
    handleSwap: (style, target, fragment) => {
      const fresh = fragment.querySelector(`#${target.id}`);
      if (!fresh) return false; // a part that fills its own element
      target.normalize(); // a swapped panel left texts beside texts, and children are compared by their place
      merge(target, fresh);
      return [document.getElementById(target.id)];
    },
  });
  document.addEventListener("htmx:load", (event) => event.detail.elt.id === "panel" && hold());
  window.setInterval(() => document.hidden || refresh(), Number(page.dataset.pulseEvery));
}
