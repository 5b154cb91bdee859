"use strict";
// Pages, search and enlarged pictures, of the JSON in this page. Texts from outside
// only ever become textContent or attributes, never markup.
const find = (id) => document.getElementById(id);
const pictures = JSON.parse(find("all-pictures").textContent);
const gaps = JSON.parse(find("all-gaps").textContent);
const views = {
  pictures: pictures,
  failed: gaps.filter((gap) => !gap[2]),
  withheld: gaps.filter((gap) => gap[2]),
};
const PAGE = Number(document.body.dataset.pageSize);
const state = { view: "pictures", page: 1, q: "" };
let rows = pictures;
let start = 0;
let open = -1;
let drawn = "1/"; // the first page is there before this script

// an element of a name, with attributes, holding texts and elements
const make = (name, attributes = {}, ...inside) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(key, value);
  }
  element.append(...inside);
  return element;
};

const figure = ([index, prompt, file, seed, width, height]) => {
  const image = make("img", { src: file, loading: "lazy", decoding: "async",
    alt: prompt, width: width || null, height: height || null });
  const link = make("a", { href: file }, image);
  const about = `#${index}${seed === null ? "" : ` · seed ${seed}`}`;
  const caption = make("figcaption", {}, make("p", {}, prompt),
    make("small", {}, about));
  const made = make("figure", {}, link, caption);
  made.style.setProperty("--aspect", width && height ? width / height : 1);
  return made;
};

const item = ([index, prompt, , reason]) => make("li", {},
  make("small", {}, `#${index}`), make("p", {}, prompt || "(no prompt)"),
  make("p", { class: "why" }, reason));

// every word must stand in the prompt, the reason, the number or the seed
const lower = new Map();
const matching = (all, q) => {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return all;
  return all.filter((row) => {
    let text = lower.get(row);
    if (text === undefined) {
      const last = all === pictures ? row[3] : row[3].toLowerCase();
      text = `${row[1].toLowerCase()}\n#${row[0]}\n${last}`;
      lower.set(row, text);
    }
    return words.every((word) => text.includes(word));
  });
};

const pageNumbers = (current, last) => {
  const near = [1, current - 1, current, current + 1, last];
  if (current < 5) near.push(2, 3, 4, 5);
  if (current > last - 4) near.push(last - 1, last - 2, last - 3, last - 4);
  return [...new Set(near)].filter((n) => n >= 1 && n <= last).sort((a, b) => a - b);
};

const drawPages = (last) => {
  const nav = find("pages");
  nav.hidden = last < 2;
  nav.replaceChildren();
  const button = (text, page, label) => {
    const made = make("button", { type: "button", "aria-label": label }, text);
    made.disabled = page < 1 || page > last;
    if (String(page) === text && page === state.page) {
      made.setAttribute("aria-current", "page");
    }
    made.onclick = () => go({ page });
    nav.append(made);
  };
  button("‹", state.page - 1, "Previous page");
  let before = 0;
  for (const number of pageNumbers(state.page, last)) {
    if (number > before + 1) nav.append(make("span", {}, "…"));
    button(String(number), number, `Page ${number}`);
    before = number;
  }
  button("›", state.page + 1, "Next page");
};

const draw = () => {
  rows = matching(views[state.view], state.q);
  const last = Math.max(1, Math.ceil(rows.length / PAGE));
  state.page = Math.min(Math.max(1, state.page), last);
  start = (state.page - 1) * PAGE;
  const shown = rows.slice(start, start + PAGE);
  for (const view of Object.keys(views)) {
    const place = find(view);
    if (place) place.hidden = view !== state.view;
  }
  if (state.view === "pictures") {
    const wanted = `${state.page}/${state.q}`;
    if (wanted !== drawn) find("pictures").replaceChildren(...shown.map(figure));
    drawn = wanted;
  } else {
    find(state.view).querySelector("ol").replaceChildren(...shown.map(item));
    find(state.view).hidden = !shown.length;
  }
  for (const tab of find("tabs").children) {
    const here = tab.hash === `#${state.view}`;
    if (here) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  find("empty").hidden = rows.length > 0;
  find("empty").textContent = state.q ? `Nothing matches “${state.q}”.`
    : "No pictures yet.";
  find("found").textContent = state.q
    ? `${rows.length.toLocaleString("en")} found` : "";
  if (find("search").value !== state.q) find("search").value = state.q;
  drawPages(last);
};

// the address tells the state, so that "back" works and a search can be kept
const go = (change) => {
  const before = location.hash;
  Object.assign(state, change);
  const said = new URLSearchParams();
  if (state.view !== "pictures") said.set("view", state.view);
  if (state.q) said.set("q", state.q);
  if (state.page > 1) said.set("page", state.page);
  const hash = said.size ? `#${said}` : "#";
  if ("q" in change) history.replaceState(null, "", hash);
  else if (hash !== before) history.pushState(null, "", hash);
  draw();
  if (!("q" in change)) scrollTo(0, 0);
};

const read = () => {
  const hash = location.hash.slice(1);
  const said = new URLSearchParams(hash in views ? { view: hash } : hash);
  state.view = said.get("view") in views ? said.get("view") : "pictures";
  state.q = said.get("q") || "";
  state.page = Number(said.get("page")) || 1;
  draw();
};

// the enlarged picture
const dialog = make("dialog", { "aria-label": "Picture", tabindex: -1 });
const stage = make("div", { class: "stage" });
const side = make("aside");
dialog.append(stage, side);
document.body.append(dialog);

const enlarge = (place) => {
  if (place < 0 || place >= rows.length) return;
  open = place;
  const [index, prompt, file, seed, width, height] = rows[place];
  const tool = (text, label, act, off) => {
    const made = make("button", { type: "button", "aria-label": label, title: label },
      text);
    made.onclick = act;
    made.disabled = Boolean(off);
    return made;
  };
  const facts = make("dl");
  const fact = (name, value) => facts.append(make("dt", {}, name),
    make("dd", {}, String(value)));
  fact("Number", `#${index}`);
  if (seed !== null) fact("Seed", seed);
  if (width) fact("Size", `${width} × ${height}`);
  fact("File", decodeURIComponent(file));
  const copy = tool("Copy prompt", "Copy prompt",
    () => navigator.clipboard?.writeText(prompt));
  const focused = document.activeElement.getAttribute("aria-label");
  stage.replaceChildren(make("img", { src: file, alt: prompt }));
  side.replaceChildren(
    make("div", { class: "bar" },
      make("output", {}, `${(place + 1).toLocaleString("en")} of ${
        rows.length.toLocaleString("en")}`),
      tool("←", "Previous", () => enlarge(open - 1), place === 0),
      tool("→", "Next", () => enlarge(open + 1), place === rows.length - 1),
      tool("✕", "Close", () => dialog.close())),
    make("p", {}, prompt), facts,
    make("div", { class: "more" },
      make("a", { href: file, target: "_blank", rel: "noopener" }, "Open file"), copy));
  if (!dialog.open) dialog.showModal();
  dialog.focus(); // the button that was pressed is a new one now
  side.querySelector(`button[aria-label="${CSS.escape(focused)}"]`)?.focus();
};

dialog.addEventListener("close", () => {
  const page = Math.floor(open / PAGE) + 1;
  if (page !== state.page) go({ page });
  const link = find("pictures").children[open - start]?.querySelector("a");
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
});
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) enlarge(open + step);
});
stage.onclick = (event) => { if (event.target === stage) dialog.close(); };

find("pictures").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  enlarge(start + [...find("pictures").children].indexOf(link.parentElement));
});
find("tabs").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) return;
  event.preventDefault();
  go({ view: link.hash.slice(1), page: 1 });
});
let waiting;
find("search").addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => go({ q: event.target.value.trim(), page: 1 }), 120);
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || dialog.open || event.target.matches("input")) return;
  event.preventDefault();
  find("search").focus();
});
addEventListener("popstate", read);
document.querySelector("search").hidden = false;
read();
