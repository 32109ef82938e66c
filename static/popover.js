// Places a popover below its anchor, or above it without room below, always inside the window. It leaves `clear` in sight,
// and without room for that at least the anchor, beside which it stands then.
const GAP = 6;

export function place(popover, anchor, { align = "start", clear = anchor } = {}) {
  const box = anchor.getBoundingClientRect();
  const around = clear.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  let left = align === "end" ? box.right - width : box.left;
  const below = around.bottom + GAP;
  const lowest = window.innerHeight - 8 - height;
  let top = below <= lowest ? below : around.top - GAP - height;
  if (top < 8) {
    const right = box.right + GAP;
    const beside = right + width <= window.innerWidth - 8 ? right : box.left - GAP - width;
    if (beside >= 8) [left, top] = [beside, Math.min(box.top, lowest)];
  }
  popover.style.left = `${Math.max(8, Math.min(left, window.innerWidth - width - 8))}px`;
  popover.style.top = `${Math.max(8, top)}px`;
}

// Arrow keys, Home and End move between menu items.
export function walk(menu, event, selector = ".menu-item:not([hidden])") {
  const items = [...menu.querySelectorAll(selector)];
  const here = items.indexOf(document.activeElement);
  const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next === undefined || !items.length) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
}
