// The rules of layout. Returns a list of sentences, one per fault: the rule, the element, what is wrong.
// `phone` is true for windows up to 480 px, where a finger needs 44 px.
(phone) => {
  const faults = new Set();
  const CONTROLS =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=menuitem], [tabindex='0']";
  const STATUS = ["--ok", "--ok-line", "--bad", "--bad-line", "--warn", "--warn-line"];

  const name = (it) => {
    const classes = typeof it.className === "string" ? it.className.trim().split(/\s+/).slice(0, 2).join(".") : "";
    const text = (it.getAttribute("aria-label") || it.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${it.tagName.toLowerCase()}${it.id ? "#" + it.id.slice(0, 24) : ""}${classes ? "." + classes : ""} "${text}"`;
  };
  const fault = (rule, it, what = "") => faults.add(`${rule}: ${name(it)}${what ? " " + what : ""}`);

  const top = [...document.querySelectorAll("dialog[open]")].pop() || document.body;
  const isShown = (it) => it.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const isReadAloudOnly = (it) => it.closest(".visually-hidden") !== null;
  const isSquare = (it) => it.matches("input[type=checkbox], input[type=radio]");
  const all = [...top.querySelectorAll("*")].filter((it) => isShown(it) && !isReadAloudOnly(it));

  // Text does not wrap to one or two characters a line.
  const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    const text = node.textContent.trim();
    if (text.length < 3 || !isShown(parent) || isReadAloudOnly(parent) || parent.closest("svg, option")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = new Set([...range.getClientRects()].filter((it) => it.width).map((it) => Math.round(it.top / 6)));
    if (lines.size >= 3 && text.length / lines.size <= 2.5) fault("narrow text", parent, `${lines.size} lines`);
  }

  // No word is broken. Values are, and names that people give.
  const terms = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  while (terms.nextNode()) {
    const node = terms.currentNode;
    const it = node.parentElement;
    if (!isShown(it) || isReadAloudOnly(it) || it.closest("svg, option, code, pre, q, .mono, .certificate, textarea, [title]")) continue;
    const box = it.getBoundingClientRect();
    if (box.height < 26) continue; // one line
    for (const { index, 0: word } of node.data.matchAll(/(?<![\w.:/@$-])[A-Za-z]{3,14}(?![\w:/@$-])/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      if (new Set([...range.getClientRects()].map((one) => Math.round(one.top / 6))).size > 1) fault("broken word", it, word);
    }
  }

  // A sentence beside an icon has an element of its own: its parts would stand in columns. What stays in sight is opaque.
  for (const it of all) {
    const { display, position, backgroundColor } = getComputedStyle(it);
    const texts = [...it.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE && one.data.trim());
    if (texts.length > 1 && /flex|grid/.test(display)) fault("sentence in columns", it);
    if (position === "sticky" && /, 0(\.\d+)?\)$/.test(backgroundColor)) fault("see-through", it);
  }

  // A command goes on in the next line between words, not inside an option.
  for (const node of all.filter((it) => it.matches("pre code, pre code *")).flatMap((it) => [...it.childNodes])) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    for (const { index, 0: option } of node.data.matchAll(/(?<!\S)--?[a-z][\w=-]{0,22}(?![\w=-])/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + option.length);
      if (range.getClientRects().length > 1) fault("broken option", node.parentElement, option);
    }
  }

  // A value that is cut has its whole text in a tooltip.
  for (const it of all) {
    const style = getComputedStyle(it);
    if (it.matches("input, select, textarea, svg, svg *, option")) continue;
    const text = it.textContent.trim();
    const cutsWide = style.overflowX !== "visible" && !/auto|scroll/.test(style.overflowX);
    const cutsHigh = style.overflowY !== "visible" && !/auto|scroll/.test(style.overflowY);
    const wide = cutsWide && it.scrollWidth > it.clientWidth + 1;
    const high = cutsHigh && it.scrollHeight > it.clientHeight + 2 && it.clientHeight > 0;
    if (text && (wide || high) && !it.closest("[title]")) fault("cut without a tooltip", it);
  }

  // Where the ellipsis has no room, a browser drops it: "robot$pull" reads "rot$pull".
  for (const it of all) {
    const { textOverflow, overflowX } = getComputedStyle(it);
    const cuts = textOverflow === "ellipsis" && overflowX !== "visible" && it.scrollWidth > it.clientWidth + 1;
    const letters = [...it.textContent.trim()].length;
    if (cuts && it.clientWidth > 0 && it.clientWidth < (1.8 * it.scrollWidth) / letters) fault("no room for the ellipsis", it);
  }

  // A large count has separators. Values, code, times and codes of errors have none.
  const counts = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  while (counts.nextNode()) {
    const it = counts.currentNode.parentElement;
    if (!isShown(it) || it.closest(".mono, code, pre, q, time, input, option, svg, .operation, [data-value]")) continue;
    if (/(?<![\w.,:#@$+–/-]|(?:码|code)[ \u00a0])\d{4,}(?![\w.,:–/-]| ?年)/.test(counts.currentNode.textContent)) fault("count without a separator", it);
  }

  // Chinese has no space after its punctuation.
  for (const line of top.innerText.split(/[\n\t]/)) {
    if (/[，。；：、！？] +\S/.test(line)) fault("space after Chinese punctuation", top, line.trim().slice(0, 80));
    if (/[\u4e00-\u9fff] ?[,;:!?.](\s|$)/.test(line)) fault("English punctuation in Chinese", top, line.trim().slice(0, 80));
  }

  // A Chinese text does not end with one or two characters in a line of their own.
  for (const it of document.documentElement.lang.startsWith("zh") ? all : []) {
    const { display, fontSize } = getComputedStyle(it);
    if (/inline|grid|contents/.test(display) || it.matches("th, .mono, .code, pre, svg, svg *")) continue;
    if ([...it.children].some((one) => !/inline|none/.test(getComputedStyle(one).display))) continue;
    if (!/[\u4e00-\u9fff][，。；：）]?$/.test(it.innerText.trim())) continue;
    const range = document.createRange();
    range.selectNodeContents(it);
    const boxes = [...range.getClientRects()].filter((one) => one.width > 0);
    const end = Math.max(...boxes.map((one) => one.bottom));
    const last = boxes.filter((one) => one.bottom > end - 8);
    if (boxes.length === last.length || boxes.length > 6) continue;
    const wide = Math.max(...last.map((one) => one.right)) - Math.min(...last.map((one) => one.left));
    if (wide < 3.2 * parseFloat(fontSize)) fault("short last line", it, `${Math.round(wide)} px`);
  }

  // On a phone, what a page lists begins in the upper half of the window, unless messages stand above it.
  const first = phone && top === document.body && scrollY === 0 ? document.querySelector("main tbody tr, .pull-failure") : null;
  if (first) {
    const said = [...document.querySelectorAll("main :is(#run-notices, .error-summary, .notice)")].filter((it) => isShown(it) && !it.parentElement.closest("#run-notices"));
    const begins = first.getBoundingClientRect().top - said.reduce((sum, it) => sum + it.offsetHeight, 0);
    if (begins > innerHeight / 2) fault("begins too low", first, `at ${Math.round(begins)} px`);
  }

  // The first card of the list begins above 330 px, also below the line of the runs; the head of a group, of up to three lines, has 40 px more.
  const card = first?.closest("#registries") ? document.querySelector("#registries tbody tr:not(.group)") : null;
  if (card && !document.querySelector(".notices-fold[open]")) {
    const above = [...document.querySelectorAll("main :is(#offline, .chips, .list > .notice)")].filter(isShown);
    const most = above.reduce((sum, it) => sum + it.offsetHeight + 12, first === card ? 330 : 370);
    const begins = Math.round(card.getBoundingClientRect().top);
    if (begins >= most) fault("card too low", card, `at ${begins} px`);
  }
  // So is a line of the audit log, unless it says in many words what was done or changed, why a test failed or how often, or
  // offers to undo one entry.
  for (const it of phone ? document.querySelectorAll("#registries tbody tr:not(.group), .journal .run-line tr:first-child, .journal tr:not(:has(.j-about, .j-undo, .counts > * + *, .counts ~ .muted))") : []) {
    if ([...it.querySelectorAll(".j-action, .j-object, .j-outcome")].some((part) => part.offsetHeight > 30)) continue;
    if (it.offsetHeight > 96) fault("card too high", it, `${it.offsetHeight} px`);
  }

  // Nothing scrolls sideways, but code.
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const widest = all.find((it) => it.getBoundingClientRect().right > root.clientWidth + 1);
    fault("scrolls sideways", widest || root, `${root.scrollWidth} of ${root.clientWidth} px`);
  }
  for (const it of all) {
    const scrolls = /auto|scroll/.test(getComputedStyle(it).overflowX) && it.scrollWidth > it.clientWidth + 1;
    if (scrolls && !it.matches("pre, pre *, textarea, input")) fault("scrolls sideways", it, [...it.querySelectorAll("*")].filter((c) => c.getBoundingClientRect().right > it.getBoundingClientRect().right).map(name).join(" | ").slice(0, 200));
  }

  // Checkboxes and radios are small squares.
  for (const it of all.filter(isSquare)) {
    const { width, height } = it.getBoundingClientRect();
    if (getComputedStyle(it).opacity === "0" || width < 2) continue;
    if (width > 24 || height > 24 || Math.abs(width - height) > 2) fault("odd checkbox", it, `${width}x${height} px`);
  }

  // What floats above the page may cover it: a menu, a dialog, a bar that stays.
  const layers = new Map([[null, null]]);
  const layer = (it) => {
    if (!layers.has(it)) {
      const floats = it.matches(":popover-open, dialog, .discard") || /fixed|sticky/.test(getComputedStyle(it).position);
      layers.set(it, floats ? it : layer(it.parentElement));
    }
    return layers.get(it);
  };
  // Whether a point is outside of what a scrolled ancestor shows.
  const isScrolledAway = (it, x, y) => {
    for (let up = it.parentElement; up !== null && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowY === "visible") continue;
      const box = up.getBoundingClientRect();
      if (y < box.top || y > box.bottom || x < box.left || x > box.right) return true;
    }
    return false;
  };

  // The part of an element that its scrolled ancestors show.
  const shownBox = (it) => {
    let { left, right, top, bottom } = it.getBoundingClientRect();
    for (let up = it.parentElement; up !== null && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowY === "visible") continue;
      const box = up.getBoundingClientRect();
      [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
    return { left, right, top, bottom };
  };

  // No control reaches beyond the window, where nothing scrolls to it.
  for (const it of all.filter((one) => one.matches(CONTROLS))) {
    const { left, right } = shownBox(it);
    if (right > left && (left < -1 || right > innerWidth + 1)) fault("beyond the window", it, `${Math.round(left)} to ${Math.round(right)} px`);
  }

  // Controls: those in sight and not under something else.
  const owner = (it) => (it && isSquare(it) ? it.closest("label") || it : it);
  const reacts = (it, there) => {
    if (there === null) return false;
    if (it.contains(there)) return true;
    const label = there.closest("label");
    return label !== null && (label.control === it || label.contains(it));
  };
  // Where a radio is not seen, its label is the control.
  const isFace = (it) => it.matches("label") && it.control !== null && isSquare(it.control) && getComputedStyle(it.control).opacity === "0";
  const controls = all
    .filter((it) => (it.matches(CONTROLS) || isFace(it)) && !it.disabled)
    .map((it) => ({ it, box: it.getBoundingClientRect(), shown: shownBox(it) }))
    .filter(({ it, box }) => {
      if (box.width < 2 || box.height < 2 || getComputedStyle(it).opacity === "0") return false;
      const x = box.left + box.width / 2;
      const y = box.top + box.height / 2;
      if (isScrolledAway(it, x, y)) return false;
      if (x <= 0 || y <= 0 || x >= innerWidth || y >= innerHeight) return false;
      const there = document.elementFromPoint(x, y);
      if (reacts(it, there)) return true;
      const cover = there?.closest(CONTROLS);
      if (cover && !cover.contains(it) && layer(cover) === layer(it)) fault("overlap", it, `under ${name(cover)}`);
      return false;
    });

  // No two of them overlap. A button inside a field belongs to it.
  for (let i = 0; i < controls.length; i += 1) {
    for (let j = i + 1; j < controls.length; j += 1) {
      const [a, b] = [controls[i], controls[j]];
      const wide = Math.min(a.shown.right, b.shown.right) - Math.max(a.shown.left, b.shown.left);
      const high = Math.min(a.shown.bottom, b.shown.bottom) - Math.max(a.shown.top, b.shown.top);
      if (!(wide > 2 && high > 2)) continue;
      if (a.it.contains(b.it) || b.it.contains(a.it) || owner(a.it) === owner(b.it)) continue;
      if (layer(a.it) !== layer(b.it)) continue;
      const field = [a, b].find(({ it }) => it.matches("input:not([type=checkbox]):not([type=radio]), textarea"));
      if (!field) fault("overlap", a.it, `and ${name(b.it)}`);
    }
  }

  // None lies over a text or a pill beside it. A pill, short and round with a ground of its own, counts as a whole.
  const CLEAR = "rgba(0, 0, 0, 0)";
  const within = (box, edge) => ({
    left: Math.max(box.left, edge.left),
    right: Math.min(box.right, edge.right),
    top: Math.max(box.top, edge.top),
    bottom: Math.min(box.bottom, edge.bottom),
  });
  const words = [];
  const texts = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const it = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !isShown(it) || isReadAloudOnly(it) || it.closest("svg, option")) continue;
    const box = it.getBoundingClientRect();
    const cuts = getComputedStyle(it).overflowX !== "visible";
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const { backgroundColor, borderTopLeftRadius } = getComputedStyle(it);
    const isPill = box.height < 32 && backgroundColor !== CLEAR && borderTopLeftRadius !== "0px";
    const shown = shownBox(it);
    for (const line of isPill ? [box] : range.getClientRects()) {
      words.push({ it, box: within(cuts ? within(line, box) : line, shown) });
    }
  }
  for (const { it, shown } of controls) {
    for (const word of words) {
      const over = within(shown, word.box);
      if (!(over.right - over.left > 3 && over.bottom - over.top > 3)) continue;
      if (!owner(it).contains(word.it) && layer(it) === layer(word.it)) fault("covers text", it, `over ${name(word.it)}`);
    }
  }

  // A toast does not hide the buttons of a dialog.
  for (const button of document.querySelectorAll("dialog[open] :is(.dialog-head, .dialog-foot) :is(button, a)")) {
    const at = button.getBoundingClientRect();
    for (const toast of document.querySelectorAll(".toasts:popover-open .toast-item")) {
      const over = within(at, toast.getBoundingClientRect());
      if (over.right > over.left && over.bottom > over.top) fault("toast over a button", button);
    }
  }

  // Values of two cells on one line of a row stand apart.
  for (const [index, { it, box }] of words.entries()) {
    const [row, cell] = [it.closest("tr"), it.closest("td")];
    if (!cell || box.right - box.left < 1) continue;
    for (const next of words.slice(index + 1)) {
      if (next.it.closest("tr") !== row) break;
      const apart = Math.max(box.left, next.box.left) - Math.min(box.right, next.box.right);
      const beside = Math.min(box.bottom, next.box.bottom) - Math.max(box.top, next.box.top) > 8;
      if (beside && apart < 5 && next.box.right - next.box.left >= 1 && next.it.closest("td") !== cell) {
        fault("touching values", it, `${Math.round(apart)} px from ${name(next.it)}`);
      }
    }
  }

  // How far what reacts to a pointer reaches to both sides of a point, up to `need` pixels. The edge of the window is no edge,
  // nor is what floats above the page for a while. Most reach half of it on each side, and one look there tells.
  const reaches = (it, px, py) => {
    if (px < 1 || py < 1 || px > innerWidth - 1 || py > innerHeight - 1) return true;
    const there = document.elementFromPoint(px, py);
    return reacts(it, there) || (layer(there) !== null && layer(there) !== layer(it));
  };
  const extent = (it, x, y, dx, dy, need) => {
    const half = need / 2 - 0.5;
    if ([-1, 1].every((sign) => reaches(it, x + sign * dx * half, y + sign * dy * half))) return need;
    let reached = 0;
    for (const sign of [-1, 1]) {
      for (let step = 0.5; step < need && reached < need && reaches(it, x + sign * dx * step, y + sign * dy * step); step += 1) reached += 1;
    }
    return Math.min(reached + 1, need + 1);
  };

  // A control is large enough to hit. A link inside a sentence is as high as its line.
  const need = phone ? 44 : 24;
  for (const { it, box, shown } of controls) {
    if (shown.bottom - shown.top < box.height || shown.right - shown.left < box.width) continue; // scrolled away in part
    if (it.matches("a") && getComputedStyle(it).display === "inline") continue;
    const x = box.left + box.width / 2;
    const y = box.top + box.height / 2;
    if ([-1, 1].some((sign) => isScrolledAway(it, x, y + (sign * need) / 2))) continue;
    const wide = box.width < need ? Math.max(box.width, extent(it, x, y, 1, 0, need)) : box.width;
    const high = box.height < need ? Math.max(box.height, extent(it, x, y, 0, 1, need)) : box.height;
    if (wide < need || high < need) fault("small control", it, `${Math.round(wide)}x${Math.round(high)} px, ${need} needed`);
  }

  // The focus is visible.
  const looks = (it) => {
    const style = getComputedStyle(it);
    return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor].join();
  };
  const seen = new Set();
  const before = document.activeElement;
  const closed = [...document.querySelectorAll("[popover]")].filter((it) => !it.matches(":popover-open"));
  for (const { it } of controls) {
    const kind = `${it.tagName}.${it.className}.${it.type || ""}`;
    if (seen.has(kind) || seen.size > 40) continue;
    seen.add(kind);
    it.blur();
    const parts = [it, it.closest("label"), it.parentElement].filter(Boolean);
    const idle = parts.map(looks);
    it.focus({ preventScroll: true, focusVisible: true });
    if (document.activeElement !== it) continue;
    if (parts.every((part, index) => looks(part) === idle[index])) fault("invisible focus", it);
  }
  if (before === document.body) document.activeElement.blur();
  else before.focus({ preventScroll: true });
  for (const it of closed.filter((popover) => popover.matches(":popover-open"))) it.hidePopover();

  // The name of a button or link contains the text that is seen: people say it to their computer.
  const spoken = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();
  for (const it of all.filter((one) => one.matches(":is(a, button, summary, [role=button])[aria-label]"))) {
    if (!spoken(it.getAttribute("aria-label")).includes(spoken(it.innerText))) fault("name without its text", it, it.innerText);
  }

  // Buttons beside each other are equally high.
  for (const it of all.filter((one) => one.matches(".btn"))) {
    const next = [...it.parentElement.children].slice([...it.parentElement.children].indexOf(it) + 1).find((one) => one.matches(".btn") && isShown(one));
    if (!next) continue;
    const [a, b] = [it.getBoundingClientRect(), next.getBoundingClientRect()];
    if (a.top < b.bottom && b.top < a.bottom && Math.abs(a.height - b.height) > 1) fault("unequal buttons", it, `beside ${name(next)}`);
    if (a.top < b.bottom && b.top < a.bottom && b.left - a.right < 5.5) fault("crowded buttons", it, `${Math.round(b.left - a.right)} px from ${name(next)}`);
  }

  // A heading does not stand on the frame of what it names.
  for (const it of all.filter((one) => one.matches("h2, h3, h4"))) {
    const next = it.nextElementSibling;
    if (!next || !isShown(next) || !parseFloat(getComputedStyle(next).borderTopWidth)) continue;
    const apart = next.getBoundingClientRect().top - it.getBoundingClientRect().bottom;
    if (apart >= 0 && apart < 5.5) fault("heading on a frame", it, `${Math.round(apart)} px`);
  }

  // The name of a role stays in one line, and so does a count of a run, with its unit.
  for (const { it } of words) {
    const unbroken = it.closest(".progress-label, .notice") ? /image-(?:admin|operator|viewer|prober)|\d[\d,]* 个/g : /image-(?:admin|operator|viewer|prober)/g;
    for (const node of [...it.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)) {
      for (const { index, 0: whole } of node.data.matchAll(unbroken)) {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + whole.length);
        if (new Set([...range.getClientRects()].map((one) => Math.round(one.top / 6))).size > 1) fault("broken role or count", it, whole);
      }
    }
  }

  // An icon stands in the middle of the line beside it. Beside several lines the next rule speaks.
  for (const it of all.filter((one) => one.matches("svg.icon"))) {
    const mark = it.getBoundingClientRect();
    if ([mark.top - 4, mark.bottom + 4].some((y) => isScrolledAway(it, mark.left, y))) continue;
    const beside = words.find((one) => it.parentElement.parentElement.contains(one.it) && one.box.left >= mark.right - 1 && one.box.left < mark.right + 16 && one.box.top < mark.bottom && one.box.bottom > mark.top);
    if (!beside) continue;
    const off = (mark.top + mark.bottom - beside.box.top - beside.box.bottom) / 2;
    if (Math.abs(off) > 1.6 && Math.abs(off) < 7) fault("icon off its line", beside.it, `${off.toFixed(1)} px`);
  }

  // An icon stands beside the first line of a text, however many follow.
  for (const it of all.filter((one) => one.matches("svg.icon"))) {
    const beside = it.nextElementSibling;
    if (!beside || !/flex/.test(getComputedStyle(it.parentElement).display) || !isShown(beside)) continue;
    const line = parseFloat(getComputedStyle(beside).lineHeight) || 20;
    const box = beside.getBoundingClientRect();
    const mark = it.getBoundingClientRect();
    const isBefore = mark.right <= box.left + 1 && box.height > 2.5 * line;
    if (box.top >= mark.bottom - 1 && /row/.test(getComputedStyle(it.parentElement).flexDirection)) fault("icon above its text", beside);
    if (isBefore && mark.top + mark.height / 2 > box.top + 1.5 * line) fault("icon below the first line", beside);
  }

  // Chinese sentences have Chinese punctuation, without a space after it.
  const HALF = /[\u4e00-\u9fff][,;:?!](\s|[\u4e00-\u9fff]|\d|$)|[。；：] [\u4e00-\u9fff]/;
  for (const it of document.documentElement.lang.startsWith("zh") ? all : []) {
    if (!it.matches("p, li, td, dt, dd, h1, h2, h3, label, legend, summary, figcaption, .btn, .form-text")) continue;
    if (it.querySelector("p, li, td, label, .mono") || it.closest(".mono, pre, [lang]:not(html)")) continue;
    const text = it.innerText.replace(/\n+/g, "\n");
    if (HALF.test(text)) fault("half-width punctuation", it, text.match(HALF)[0]);
  }

  // The heads of a table share one line.
  for (const row of all.filter((one) => one.matches("thead tr") && getComputedStyle(one).display !== "flex")) {
    const top = row.getBoundingClientRect().top;
    const firsts = [...row.cells].flatMap((cell) => {
      const text = words.find(({ it }) => cell.contains(it));
      return text && cell.getBoundingClientRect().top < top + 10 ? [{ cell, end: text.box.bottom }] : [];
    });
    for (const { cell, end } of firsts) if (Math.abs(end - firsts[0].end) > 3) fault("head off the line", cell, `${Math.round(end - firsts[0].end)} px`);
  }

  // The head of a table that stays in sight stays right below the bars that do.
  const staying = (selector) => all.filter((one) => one.matches(selector) && getComputedStyle(one).position === "sticky");
  const bars = staying(".topbar, .toolbar").reduce((sum, it) => sum + it.offsetHeight, 0);
  for (const it of staying("th, thead")) {
    const off = parseFloat(getComputedStyle(it).top) - bars;
    if (Math.abs(off) > 2) fault("head off the bars", it, `${Math.round(off)} px`);
  }

  // A reason in the list is whole. What blocks a registry has more to say.
  for (const it of all.filter((one) => one.matches("#registries .why-reason"))) {
    if (it.closest("[data-deleting], [data-no-address]")) continue;
    const state = it.closest(".state") ?? it;
    const low = it.getBoundingClientRect().bottom > state.getBoundingClientRect().bottom + 1;
    if (low || it.scrollWidth > it.clientWidth + 1) fault("cut reason", it, it.textContent);
  }

  // So is an address of usual length, also beside a tag.
  for (const it of all.filter((one) => one.matches("#registries .c-domain .head"))) {
    if (it.parentElement.title.length <= 24 && it.scrollWidth > it.clientWidth + 1) fault("cut address", it, it.parentElement.title);
  }

  // The counts of a group are whole: how many there are, and how many fail. The causes may be cut.
  for (const it of all.filter((one) => one.matches(".group-spread, .group-failing > span"))) {
    const range = document.createRange();
    range.setStart(it.firstChild, 0);
    range.setEnd(it.firstChild, it.matches(".group-spread") ? it.textContent.length : it.textContent.split(/[:：]/)[0].length);
    if (range.getBoundingClientRect().right > it.getBoundingClientRect().right + 1) fault("cut count", it);
  }

  // The card of a status leaves its row in sight, where there is room for it above or below.
  for (const it of document.querySelectorAll("tr:has([aria-describedby=card])")) {
    const [row, card] = [it, document.getElementById("card")].map((one) => one.getBoundingClientRect());
    const room = Math.max(row.top, innerHeight - row.bottom) - 16;
    if (card.height < room && card.top < row.bottom && card.bottom > row.top) fault("card over its row", it);
  }

  // The reasons of events begin on one line, and so do their times.
  for (const list of innerWidth < 768 ? [] : all.filter((one) => one.matches(".events"))) {
    for (const part of [".event-why", ".event-when"]) {
      const lefts = [...list.querySelectorAll(part)].map((one) => Math.round(one.getBoundingClientRect().left));
      if (lefts.some((left) => Math.abs(left - lefts[0]) > 1)) fault("off its column", list.querySelector(part));
    }
  }

  // The selection and what can be done with it have one line, on a window that is wide enough.
  for (const it of innerWidth < 600 ? [] : all.filter((one) => one.matches("#selection-bar:has(#selection-outside[hidden])"))) {
    if (it.offsetHeight > 60) fault("bar of two lines", it, `${it.offsetHeight} px`);
  }

  // A state in the list has its word, not only an icon.
  for (const it of all.filter((one) => one.matches("#registries .pill"))) {
    if (parseFloat(getComputedStyle(it).fontSize) < 9) fault("state without its word", it, it.textContent);
  }

  // The choice of a filter is whole. The name of a namespace may be long.
  const pen = document.createElement("canvas").getContext("2d");
  for (const it of all.filter((one) => one.matches("#filter-provider, #filter-status, #group-by, .filter select:has(> :first-child:checked)"))) {
    const style = getComputedStyle(it);
    pen.font = style.font;
    const room = it.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (pen.measureText(it.selectedOptions[0].text).width > room + 1) fault("cut choice", it, it.selectedOptions[0].text);
  }

  // A file field has the words of the page, not those of the browser's language.
  for (const it of all.filter((one) => one.matches("input[type=file]"))) fault("words of the browser", it);

  // What is deleted is in sight until somebody confirms it.
  const confirmed = top.querySelector("[data-confirms]");
  for (const it of confirmed?.value === "" ? all.filter((one) => one.matches("#dialog-title, .dialog-subject, .dialog-lead")) : []) {
    const scroller = it.closest(".dialog-content:is(dialog *)");
    const edge = scroller ? scroller.getBoundingClientRect().top : top.querySelector(".topbar")?.getBoundingClientRect().bottom ?? 0;
    if (it.getBoundingClientRect().top < edge - 1) fault("subject out of sight", it);
  }

  // What a field searches for is whole.
  for (const it of all.filter((one) => one.matches("[type=search]:placeholder-shown"))) {
    const style = getComputedStyle(it);
    pen.font = style.font;
    const room = it.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (pen.measureText(it.placeholder).width > room + 1) fault("cut placeholder", it, it.placeholder);
  }

  // A line of text is short enough to read. Values and code are no text; the line below a title is one sentence or two.
  for (const { it } of innerWidth < 1280 ? [] : words) {
    if (it.closest("pre, code, .mono, .certificate, .page-lead, table, summary, [title]")) continue;
    for (const node of [...it.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const wide = Math.max(...[...range.getClientRects()].map((one) => one.width)) / parseFloat(getComputedStyle(it).fontSize);
      if (wide > 64) fault("long line", it, `${Math.round(wide)} em`);
    }
  }

  // Help has one size, and begins where its field does, or the words of its checkbox.
  const begin = (it) => {
    const range = document.createRange();
    range.selectNodeContents(it);
    if (it.matches(".choice")) range.setStartAfter(it.querySelector("input"));
    return Math.min(...[...range.getClientRects()].filter((one) => one.width > 0).map((one) => one.left));
  };
  const isHelp = (it) => it.matches(".form-text:not(.mono), .field-error, .choice .muted") && it.innerText.trim() && !/inline|flex/.test(getComputedStyle(it).display);
  for (const form of all.filter((one) => one.matches("form"))) {
    const helps = [...form.querySelectorAll(".form-text, .field-error, .choice .muted")].filter((it) => isShown(it) && isHelp(it));
    for (const it of helps) {
      if (getComputedStyle(it).fontSize !== getComputedStyle(helps[0]).fontSize) fault("help of another size", it, getComputedStyle(it).fontSize);
      const field = it.previousElementSibling;
      if (!field || !isShown(field) || it.matches(".choice *, button ~ span")) continue;
      const inLine = [...it.parentElement.children].filter((one) => isShown(one) && one !== it && one.getBoundingClientRect().bottom > field.getBoundingClientRect().top && one.getBoundingClientRect().top < field.getBoundingClientRect().bottom);
      const edges = field.matches(".choice") ? [begin(field)] : inLine.flatMap((one) => [one, ...one.querySelectorAll("*")]).map((one) => one.getBoundingClientRect().left);
      if (!edges.some((edge) => Math.abs(edge - begin(it)) < 1.5)) fault("help off its field", it, `${Math.round(begin(it) - edges[0])} px`);
    }
  }

  // A value does not look like a placeholder.
  for (const it of all.filter((one) => one.matches("input.form-control:not(:disabled), textarea:not(:disabled)") && one.value && one.placeholder)) {
    if (getComputedStyle(it).color === getComputedStyle(it, "::placeholder").color) fault("value like a placeholder", it);
  }

  // In an explanation in a table no Chinese word is broken.
  const segmenter = document.documentElement.lang.startsWith("zh") ? new Intl.Segmenter("zh", { granularity: "word" }) : null;
  for (const it of segmenter ? all.filter((one) => one.matches(".channels td p.form-text:not(.mono)")) : []) {
    for (const node of [...it.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)) {
      for (const { segment, index } of segmenter.segment(node.data)) {
        if (!/^[\u4e00-\u9fff]{2,}$/.test(segment)) continue;
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + segment.length);
        if (new Set([...range.getClientRects()].map((one) => Math.round(one.top / 6))).size > 1) fault("broken word", it, segment);
      }
    }
  }

  // A time is short, and whole.
  for (const it of all.filter((one) => one.matches("time, .ago"))) {
    if (getComputedStyle(it).overflowX !== "visible" && it.scrollWidth > it.clientWidth + 1) fault("cut time", it);
  }

  // No button of a page's head stands alone in a last line.
  for (const it of all.filter((one) => one.matches(".page-actions"))) {
    const tops = [...it.querySelectorAll(".btn")].filter(isShown).map((one) => Math.round(one.getBoundingClientRect().top));
    if (tops.length > 2 && tops.filter((one) => one > tops[0] + 8).length === 1) fault("lone button", it);
  }

  // What scrolls inside a page or dialog has a shade where it goes on, from side to side: a round one looks like a smudge.
  for (const it of all.filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowY))) {
    if (it.matches("textarea, pre, .navigation")) continue;
    const goesOn = it.clientHeight > 0 && it.scrollHeight > it.clientHeight + 4;
    const { backgroundAttachment, backgroundImage } = getComputedStyle(it);
    if (goesOn && !/local/.test(backgroundAttachment)) fault("no sign of more", it, `${it.scrollHeight} px in ${it.clientHeight}`);
    if (goesOn && /radial/.test(backgroundImage)) fault("smudge", it);
  }

  // No button of a row of a table stands alone in a last line, and no address ends with one or two characters in a line of their own.
  for (const it of phone || innerWidth < 768 ? [] : all.filter((one) => one.matches("td > .row-actions"))) {
    const tops = [...it.querySelectorAll(".btn")].map((one) => Math.round(one.getBoundingClientRect().top));
    if (tops.length > 1 && tops.filter((one) => one > tops[0] + 8).length === 1) fault("lone button", it);
  }
  for (const it of all.filter((one) => one.matches("td .mono, .image-name") && !one.closest("pre"))) {
    for (const node of [...it.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE && one.data.trim().length < 60)) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const lines = [...range.getClientRects()].filter((one) => one.width > 0);
      if (lines.length > 1 && lines.at(-1).width < 1.5 * parseFloat(getComputedStyle(it).fontSize)) fault("short end of a value", it);
    }
  }

  // A colour does not tell a state alone.
  const probe = document.body.appendChild(document.createElement("i"));
  const hues = new Set();
  for (const token of STATUS) {
    probe.style.color = `var(${token})`;
    hues.add(getComputedStyle(probe).color);
  }
  probe.remove();
  for (const it of all) {
    const style = getComputedStyle(it);
    const box = it.getBoundingClientRect();
    const painted = hues.has(style.backgroundColor) || (it.matches("svg rect, svg circle, svg path") && hues.has(style.fill));
    if (!painted || box.width > 48 || box.width === 0) continue;
    const told = it.closest("[title], [aria-label], [role=img], [aria-labelledby]") || it.querySelector("title, svg, use");
    if (!it.textContent.trim() && !told && !isSquare(it)) fault("colour alone", it);
  }
  return [...faults];
}
