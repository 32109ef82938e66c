// Places a popover below its anchor, or above it without room below, always inside the window. It leaves `clear` in sight.
const GAP = 6;

export function place(popover, anchor, { align = "start", clear = anchor } = {}) {
  const box = anchor.getBoundingClientRect();
  const around = clear.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const left = align === "end" ? box.right - width : box.left;
  const below = around.bottom + GAP;
  const fits = below + height <= window.innerHeight - 8;
  const top = fits ? below : Math.max(8, around.top - GAP - height);
  popover.style.left = `${Math.max(8, Math.min(left, window.innerWidth - width - 8))}px`;
  popover.style.top = `${top}px`;
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
