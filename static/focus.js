// The focus is never lost: what had it may be disabled while a request runs, drawn anew, or gone afterwards. Then
// it goes back there, or to what took its place: the row at the same height, the page that is shown now.
const list = document.getElementById("list");
const GROUPS = [".pages-numbers", ".pages-sizes"];
let last = null;

function remember(element) {
  const row = element.closest("#list tbody tr");
  last = {
    element,
    row: row ? [...row.parentElement.rows].indexOf(row) : -1,
    group: GROUPS.find((group) => element.closest(group)),
  };
}

function near({ row, group }) {
  const rows = list?.querySelectorAll("tbody tr") ?? [];
  return (
    (row >= 0 && rows[Math.min(row, rows.length - 1)]?.querySelector(".more")) ||
    (group && list?.querySelector(`${group} [aria-current]`)) ||
    list?.querySelector(".tile[aria-current]") ||
    document.getElementById("main")
  );
}

export function keepFocus() {
  if (!last || document.activeElement !== document.body) return;
  const { element } = last;
  const same = element.isConnected ? element : element.id && document.getElementById(element.id);
  const there = same && !same.disabled && same.checkVisibility();
  (there ? same : near(last)).focus({ preventScroll: true });
}

document.addEventListener("focusin", (event) => remember(event.target));
// Who clicks on nothing wants the focus nowhere.
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest?.("a, button, input, select, textarea, label, summary, [tabindex]")) last = null;
});
document.addEventListener("htmx:afterRequest", keepFocus);
document.addEventListener("htmx:afterSettle", keepFocus);
// Whatever draws a part of the list anew, the focus is back before the next key: a request's end is too late.
if (list) new MutationObserver(keepFocus).observe(list, { childList: true, subtree: true });
