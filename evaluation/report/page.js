"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const $ = id => document.getElementById(id);
const runs = model.gallery.runs, facets = model.gallery.facets, scores = model.gallery.scores;
const SHOWN = 300; // cards at first; a button shows more

// Names by runs and people become text, never markup.
function make(name, given = {}, ...inner) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key in made && key !== "list") made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...inner.filter(part => part != null));
  return made;
}
// Numbers are averaged per group: a method, or a method with one of several encoders or sets.
const look = group => model.looks[group] || ["var(--soft)", "circle"];
const named = method => model.gallery.methods[method] || method;
function dot(group) {
  const made = make("span", { className: "dot", ariaHidden: "true" });
  made.style.background = look(group)[0];
  return made;
}
for (const place of document.querySelectorAll(".dot[data-group]"))
  place.style.background = look(place.dataset.group)[0];

// A page on disk may not fetch its own files, but it may run them.
const loading = {};
function load(file) {
  return (loading[file] ??= new Promise((done, failed) => {
    document.head.append(make("script", { src: file, onload: done, onerror: () => {
      delete loading[file];
      failed(new Error(`${file} is missing from the report's folder`));
    } }));
  }));
}
const details = {};
let figures = null;
window.atelier = {
  detail(file, value) { details[file] = value; },
  plots(value) { figures = value; },
};

// ---- filters and order, stored in the address ----
const asked = { filters: {}, search: "", sort: "", run: "" };
function readAddress() {
  const [, query] = location.hash.split("?");
  if (query === undefined) return false;
  const given = new URLSearchParams(query);
  asked.filters = {};
  for (const name of Object.keys(facets)) {
    const values = given.getAll("f." + name).filter(value => facets[name].includes(value));
    if (values.length) asked.filters[name] = new Set(values);
  }
  asked.search = given.get("q") || "";
  asked.sort = given.get("sort") || "";
  asked.run = given.get("run") || "";
  return true;
}
function writeAddress() {
  const given = new URLSearchParams();
  for (const [name, values] of Object.entries(asked.filters))
    for (const value of values) given.append("f." + name, value);
  if (asked.search) given.set("q", asked.search);
  if (asked.sort) given.set("sort", asked.sort);
  if (asked.run) given.set("run", asked.run);
  const hash = "#gallery" + (String(given) ? "?" + given : "");
  try { history.replaceState(null, "", hash); } catch { location.replace(hash); }
}

// ---- filters ----
const texts = runs.map(run =>
  [run.id, run.title, run.group, ...Object.entries(run.labels).flat()].join(" ").toLowerCase());
function fits(run, number, except) {
  return asked.search.toLowerCase().split(/\s+/).every(word => texts[number].includes(word)) &&
    Object.entries(asked.filters).every(([name, values]) => name === except || values.has(run.labels[name]));
}
function order() {
  const [key, way] = asked.sort.split(" ");
  const numbers = runs.map((_, i) => i).filter(i => fits(runs[i], i));
  const at = scores.findIndex(score => score.name === key);
  const value = key === "seconds" ? i => runs[i].seconds : at >= 0 ? i => runs[i].scores[at] : null;
  if (key === "title") numbers.sort((a, b) => runs[a].title.localeCompare(runs[b].title) || a - b);
  if (value) numbers.sort((a, b) => { // runs without a value come last in both orders
    const [x, y] = [value(a), value(b)];
    if (x == null || y == null) return (x == null) - (y == null) || a - b;
    return (way === "up" ? x - y : y - x) || a - b;
  });
  return numbers;
}
function makeFacets() {
  for (const [name, values] of Object.entries(facets)) {
    const box = make("fieldset", {}, make("legend", { className: "hidden", textContent: name }));
    for (const value of values) {
      const tick = make("input", { type: "checkbox", value });
      tick.onchange = () => {
        const chosen = (asked.filters[name] ??= new Set());
        if (tick.checked) chosen.add(value); else chosen.delete(value);
        if (!chosen.size) delete asked.filters[name];
        changed();
      };
      const shown = name === "method" ? named(value) : value;
      box.append(make("label", {}, tick, make("span", { textContent: shown }), make("small")));
    }
    const facet = make("details", { className: "facet" }, make("summary"), box);
    facet.dataset.name = name;
    facet.ontoggle = () => { // only one is open at a time, and it is wholly in view
      if (!facet.open) return;
      for (const other of document.querySelectorAll(".facet[open]")) if (other !== facet) other.open = false;
      box.style.left = "0";
      const right = box.getBoundingClientRect().right - document.documentElement.clientWidth + 12;
      if (right > 0) box.style.left = -right + "px";
    };
    facet.onkeydown = event => {
      if (event.key !== "Escape" || !facet.open) return;
      facet.open = false;
      facet.querySelector("summary").focus();
      event.stopPropagation();
    };
    $("facets").append(facet);
  }
  addEventListener("click", event => {
    for (const facet of document.querySelectorAll(".facet[open]"))
      if (!facet.contains(event.target)) facet.open = false;
  });
}
function showFacets() {
  for (const facet of $("facets").children) {
    const name = facet.dataset.name, chosen = asked.filters[name], summary = facet.firstChild;
    const told = !chosen ? "all" : chosen.size === 1 ? [...chosen][0] : `${chosen.size} of ${facets[name].length}`;
    summary.replaceChildren(name + ": ", make("b", { textContent: name === "method" ? named(told) : told }));
    facet.classList.toggle("on", Boolean(chosen));
    const count = new Map();
    runs.forEach((run, i) => { if (fits(run, i, name)) count.set(run.labels[name], (count.get(run.labels[name]) || 0) + 1); });
    for (const label of facet.querySelectorAll("label")) {
      const tick = label.firstChild;
      tick.checked = Boolean(chosen?.has(tick.value));
      label.lastChild.textContent = count.get(tick.value) || 0;
    }
  }
}
function makeSort() {
  const choices = [["", "as listed"], ["title", "title"]];
  for (const { name, title, arrow } of scores) {
    const down = [`${name} down`, `${title}, highest first`], up = [`${name} up`, `${title}, lowest first`];
    choices.push(...(arrow === "↓" ? [up, down] : [down, up]));
  }
  choices.push(["seconds up", "seconds, fewest first"], ["seconds down", "seconds, most first"]);
  $("sort").append(...choices.map(([value, textContent]) => make("option", { value, textContent })));
  $("sort").onchange = () => { asked.sort = $("sort").value; changed(); };
}

// ---- cards ----
let listed = [], limit = SHOWN;
const cards = new Map();
function shownScores(run) {
  const [key] = asked.sort.split(" ");
  const first = scores.findIndex(score => score.name === key);
  const kept = scores.findIndex(score => /^(leakage|background_psnr)/.test(score.name));
  const places = [...new Set([first < 0 ? 0 : first, kept])].filter(at => scores[at] && run.scores[at] != null);
  return places.map(at => `${scores[at].title.split(" · ")[0]} ${number(run.scores[at])}`).join(" · ");
}
const number = value => (value == null ? "-" : Number(value.toPrecision(4)).toString());
function card(at) {
  if (!cards.has(at)) {
    const run = runs[at], button = make("button", { type: "button", className: "card" });
    if (run.shots) {
      const [width, height] = run.shots.thumbnail_size;
      button.append(make("img", { loading: "lazy", decoding: "async", width, height, alt: "", src: run.shots.thumbnail }));
    }
    button.append(make("span", { className: "text" },
      make("span", { className: "title", textContent: run.title }),
      make("span", { className: "about" }, dot(run.group), [run.group, ...run.about].join(" · ")),
      make("span", { className: "value" })));
    button.onclick = () => open(at);
    cards.set(at, make("li", {}, button));
  }
  const made = cards.get(at);
  made.querySelector(".value").textContent = shownScores(runs[at]);
  return made;
}
function changed() {
  limit = SHOWN;
  writeAddress();
  show();
}
function show() {
  listed = order();
  showFacets();
  if ($("search").value !== asked.search) $("search").value = asked.search;
  $("sort").value = asked.sort;
  if ($("sort").selectedIndex < 0) $("sort").value = asked.sort = "";
  $("cards").replaceChildren(...listed.slice(0, limit).map(card));
  const filtered = Object.keys(asked.filters).length || asked.search;
  $("count").textContent = filtered ? `${listed.length} of ${runs.length} pictures` : runs.length === 1 ? "1 picture" : `${runs.length} pictures`;
  if (filtered) {
    const clear = make("button", { type: "button", className: "link", textContent: "Show all" });
    clear.onclick = () => { asked.filters = {}; asked.search = ""; changed(); $("search").focus(); };
    $("count").append(" ", clear);
  }
  $("more").hidden = listed.length <= limit;
  $("more").textContent = `Show ${Math.min(SHOWN, listed.length - limit)} more`;
}

// ---- one run ----
const dialog = $("run");
let current = -1;
function open(at) {
  current = at;
  const run = runs[at], place = listed.indexOf(at), slide = $("slide");
  asked.run = run.id;
  writeAddress();
  $("peek").hidden = true;
  $("run-title").textContent = run.title;
  $("run-count").replaceChildren(dot(run.group), run.group +
    (place >= 0 ? ` · ${place + 1} of ${listed.length}` : ""));
  $("previous").disabled = place <= 0;
  $("next").disabled = place < 0 || place === listed.length - 1;
  slide.hidden = !run.shots;
  if (run.shots) slide.style.setProperty("--ratio", run.shots.size[0] / run.shots.size[1]);
  document.querySelector('[data-view="mask"]').disabled = !run.shots?.mask;
  view("output");
  $("tell").replaceChildren(make("p", { className: "wait", textContent: "Loading" }));
  $("losses").replaceChildren();
  load(run.file).then(() => { if (current === at) tell(run, details[run.file]); },
    error => { if (current === at) $("tell").replaceChildren(make("p", { textContent: error.message })); });
  if (!dialog.open) { dialog.showModal(); split(50); $("split").focus(); }
}
function view(which) {
  const shots = runs[current].shots, slide = $("slide");
  if (!shots || !shots[which]) return;
  for (const button of document.querySelectorAll("[data-view]"))
    button.setAttribute("aria-pressed", button.dataset.view === which);
  const [under, over] = slide.querySelectorAll("img");
  under.src = shots.content;
  under.alt = "The photo";
  over.src = shots[which];
  over.alt = which === "mask" ? "The mask: white is to be stylized" : "The result: " + runs[current].title;
  slide.querySelector(".right").textContent = which === "mask" ? "mask" : "result";
}
function split(value) {
  $("split").value = value;
  $("slide").style.setProperty("--at", value + "%");
}
function walk(step) {
  const at = listed[listed.indexOf(current) + step];
  if (current >= 0 && listed.includes(current) && at !== undefined) open(at);
}
const heading = textContent => make("h3", { textContent });
function pairs(entries) {
  return make("dl", { className: "pairs" }, ...entries.flatMap(([name, value]) =>
    [make("dt", { textContent: name }), make("dd", { textContent: value })]));
}
function tell(run, detail) {
  const inner = [];
  if (detail.command) inner.push(heading("Make it again"), command(detail.command));
  inner.push(heading("Scores"), scoreTable(detail.metrics));
  const why = Object.entries(detail.unavailable);
  if (why.length) inner.push(make("details", {}, make("summary", { textContent: `${why.length} unavailable` }), pairs(why)));
  const facts = Object.entries(detail.labels).filter(([name]) => name !== "method");
  facts.push(["encoder", detail.encoder || "-"], ["steps", detail.steps ?? "-"], ["seconds", detail.seconds], ["folder", detail.folder]);
  inner.push(heading("Run"), pairs(facts));
  if (detail.config) {
    const copy = make("button", { type: "button", className: "copy", textContent: "Copy" });
    const text = make("pre", { tabIndex: 0, ariaLabel: "Configuration" }, make("code", { textContent: detail.config }));
    copy.onclick = () => toClipboard(detail.config, copy);
    inner.push(make("details", { className: "config" }, make("summary", { textContent: "Full configuration" }), copy, text));
  }
  const versions = Object.entries(detail.versions);
  if (versions.length) inner.push(make("details", {}, make("summary", { textContent: "Versions" }), pairs(versions)));
  $("tell").replaceChildren(...inner);
  $("tell").scrollTop = 0;
  showLosses(detail.losses);
}
function scoreTable(rows) {
  const body = make("tbody", {}, ...rows.map(([name, value, arrow, remark]) => {
    const first = make("th", { scope: "row", textContent: name + " " });
    const better = { "↑": "higher is better", "↓": "lower is better" }[arrow];
    if (better) first.append(make("span", { className: "arrow", role: "img", ariaLabel: better, title: better, textContent: arrow }));
    if (remark) first.append(make("br"), make("small", { textContent: remark }));
    return make("tr", {}, first, make("td", { textContent: number(value) }));
  }));
  const box = make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Scores" });
  box.append(make("table", {}, body));
  return rows.length ? box : make("p", { textContent: "None." });
}
function command(text) {
  const copy = make("button", { type: "button", className: "copy", textContent: "Copy" });
  return make("div", { className: "command" }, make("pre", { tabIndex: 0 }, make("code", { textContent: text })), copy);
}
function showLosses(losses) {
  const steps = losses.step || [], made = [];
  for (const [name, values] of Object.entries(losses)) {
    const known = values.map((value, i) => [steps[i], value]).filter(point => point[0] != null && point[1] != null);
    if (name === "step" || known.length < 2) continue;
    const heights = known.map(point => point[1]), low = Math.min(...heights), high = Math.max(...heights);
    const [start, end] = [known[0][0], known.at(-1)[0]];
    const line = known.map(([x, y]) => `${(100 * (x - start)) / (end - start || 1)} ${40 - (38 * (y - low)) / (high - low || 1)}`);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS(svg.namespaceURI, "path");
    svg.setAttribute("viewBox", "0 0 100 42"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${name}: from ${number(heights[0])} to ${number(heights.at(-1))} over ${end - start} steps`);
    path.setAttribute("d", "M" + line.join("L"));
    svg.append(path);
    made.push(make("figure", {}, make("figcaption", {}, make("span", { textContent: name }),
      make("small", { textContent: `${number(heights[0])} → ${number(heights.at(-1))}` })), svg));
  }
  $("losses").previousElementSibling.hidden = !made.length;
  $("losses").replaceChildren(...made);
}

// ---- copying ----
async function toClipboard(text, button) {
  let done = true;
  try { await navigator.clipboard.writeText(text); } catch {
    // Some browsers give a page on disk no clipboard.
    const area = make("textarea", { value: text });
    button.after(area); area.select();
    done = document.execCommand("copy");
    area.remove(); button.focus();
  }
  button.textContent = done ? "Copied" : "Select and copy";
  $("said").textContent = button.textContent;
  setTimeout(() => { button.textContent = "Copy"; $("said").textContent = ""; }, 1800);
}
addEventListener("click", event => {
  const button = event.target.closest?.(".command .copy");
  if (button) toClipboard(button.closest(".command").querySelector("code").textContent, button);
});

// ---- plots: Plotly is large, so it is loaded when the first of them comes into view ----
const off = new Set(); // groups that the reader has switched off
const plots = [];
function ink() {
  const css = getComputedStyle(document.documentElement), of = name => css.getPropertyValue(name).trim();
  return { ink: of("--ink"), soft: of("--soft"), line: of("--line"), card: of("--card") };
}
function layout(given) {
  const { ink: colour, soft, line } = ink(), touch = matchMedia("(hover: none)").matches;
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  const made = { ...given, paper_bgcolor: "transparent", plot_bgcolor: "transparent", autosize: true,
    font: { family: "system-ui, Roboto, 'Liberation Sans', sans-serif", size: 12.5, color: colour },
    // Dragging zooms with a mouse; a finger scrolls the page.
    dragmode: touch ? false : "zoom",
    xaxis: { ...given.xaxis, ...axis }, yaxis: { ...given.yaxis, ...axis } };
  made.shapes = (given.shapes || []).map(shape => ({ ...shape, line: { ...shape.line, color: soft } }));
  made.annotations = (given.annotations || []).map(note => ({ ...note, font: { ...note.font, color: soft } }));
  return made;
}
function draw(place, figure) {
  const data = figure.data.map(trace => ({ ...trace, visible: !off.has(trace.legendgroup) }));
  return Plotly.react(place, data, layout(figure.layout), { responsive: true, displayModeBar: false });
}
function redraw() { for (const { place, figure } of plots) if (place.isConnected) draw(place, figure()); }
function legend(groups) {
  return make("div", { className: "legend", role: "group", ariaLabel: "Lines shown" }, ...groups.map(group => {
    const button = make("button", { type: "button" }, dot(group), group);
    button.setAttribute("aria-pressed", !off.has(group));
    button.dataset.group = group;
    button.onclick = () => {
      if (!off.delete(group)) off.add(group);
      for (const same of document.querySelectorAll(".legend button"))
        same.setAttribute("aria-pressed", !off.has(same.dataset.group));
      redraw();
    };
    return button;
  }));
}
function select(label, options, action) {
  const made = make("select", {}, ...options.map((textContent, value) => make("option", { value, textContent })));
  made.onchange = () => action(Number(made.value));
  return make("label", {}, label + " ", made);
}
const grouped = figure => [...new Set(figure.data.map(trace => trace.legendgroup))];
function showCurves(which) {
  const { label, panels } = figures.curves[which];
  const bodies = panels.map(({ score, title, figure }) => {
    const place = make("div", { className: "plot", role: "img", ariaLabel: `${title} over ${label}; the numbers are in the table below` });
    plots.push({ place, figure: () => figure });
    const caption = make("figcaption", {}, title, make("small", {}, make("code", { textContent: score })));
    return make("figure", { className: "panel" }, caption, place);
  });
  $("panels").replaceChildren(...bodies);
  for (const table of document.querySelectorAll("[data-curve]")) table.hidden = table.dataset.curve !== label;
  redraw();
}
function startCurves() {
  const groups = [...new Set(figures.curves.flatMap(c => c.panels.flatMap(p => grouped(p.figure))))].sort();
  $("panels").before(make("div", { className: "choices" },
    figures.curves.length > 1 ? select("Over", figures.curves.map(c => c.title), showCurves) : null, legend(groups)));
  showCurves(0);
}
function startTradeoff() {
  const all = figures.tradeoffs, place = $("points"), at = { x: all[0].x, y: all[0].y };
  const axes = name => [...new Set(all.map(one => one[name]))];
  const chosen = () => all.find(one => one.x === at.x && one.y === at.y) || all.find(one => one.y === at.y);
  const tell = () => {
    const { shown, missing } = chosen();
    $("points-count").textContent = `${shown} runs` + (missing ? `; ${missing} have no such score, because it was not measured or does not apply` : "") +
      ". Up and to the right is better; the dotted line joins the runs that no other beats in both. A click opens the run; the order of the pictures below sorts by the same scores. Dragging zooms, a double click shows all again.";
  };
  const turn = name => index => { at[name] = axes(name)[index]; draw(place, chosen().figure); tell(); };
  const choices = make("div", { className: "choices" });
  if (axes("y").length > 1) choices.append(select("Style by", axes("y"), turn("y")));
  if (axes("x").length > 1) choices.append(select("Against", axes("x"), turn("x")));
  const groups = [...new Set(all.flatMap(one => grouped(one.figure)))].sort();
  const isLine = group => !(group in model.looks); // the front comes last
  choices.append(legend([...groups.filter(group => !isLine(group)), ...groups.filter(isLine)]));
  place.closest(".panel").before(choices);
  plots.push({ place, figure: () => chosen().figure });
  draw(place, chosen().figure).then(() => {
    place.on("plotly_hover", event => peek(event.points[0].customdata, event.event));
    place.on("plotly_unhover", () => { $("peek").hidden = true; });
    place.on("plotly_click", event => open(event.points[0].customdata));
  });
  tell();
}
function peek(at, { clientX, clientY }) {
  const run = runs[at], box = $("peek"), image = box.querySelector("img");
  image.hidden = !run.shots;
  if (run.shots) { [image.width, image.height] = run.shots.thumbnail_size; image.src = run.shots.thumbnail; }
  box.querySelector("p").textContent = [run.title, run.group, ...run.about].join(" · ");
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  box.style.left = Math.max(8, clientX + 18 + width > innerWidth ? clientX - width - 18 : clientX + 18) + "px";
  box.style.top = Math.max(8, Math.min(clientY - height / 2, innerHeight - height - 8)) + "px";
}
function whenSeen(place, start) {
  if (!place) return;
  const watch = new IntersectionObserver(entries => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    watch.disconnect();
    Promise.all([load("plots.js"), load("plotly.min.js")]).then(() => {
      place.querySelector(".wait")?.remove();
      start();
    }).catch(error => {
      const wait = place.querySelector(".wait");
      if (wait) wait.textContent = error.message; else throw error;
    });
  }, { rootMargin: "250px" });
  watch.observe(place);
}

// ---- mouse and keyboard ----
makeFacets();
makeSort();
$("filters").hidden = runs.length < 2;
$("filters").onsubmit = event => event.preventDefault();
$("search").oninput = () => { asked.search = $("search").value; changed(); };
$("more").onclick = () => { limit += SHOWN; const at = limit - SHOWN; show(); $("cards").children[at]?.firstChild.focus(); };
$("split").oninput = () => split($("split").value);
for (const button of document.querySelectorAll("[data-view]")) button.onclick = () => view(button.dataset.view);
$("previous").onclick = () => walk(-1);
$("next").onclick = () => walk(1);
$("close").onclick = () => dialog.close();
dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
dialog.onclose = () => {
  const last = cards.get(current)?.firstChild;
  asked.run = "";
  current = -1;
  writeAddress();
  if (last?.isConnected) last.focus();
};
dialog.onkeydown = event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Tab") return keepFocus(event);
  const step = { n: 1, p: -1 }[event.key.toLowerCase()];
  if (step) walk(step);
  else if (event.key.toLowerCase() === "m")
    view(document.querySelector('[data-view="mask"]').ariaPressed === "true" ? "output" : "mask");
  else return;
  event.preventDefault();
};
function keepFocus(event) { // from the last to the first, and back
  const all = [...dialog.querySelectorAll("button:not(:disabled), input, summary, [tabindex='0']")]
    .filter(one => one.checkVisibility());
  const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (document.activeElement === from || !dialog.contains(document.activeElement)) {
    to.focus();
    event.preventDefault();
  }
}
function follow() {
  const inAddress = readAddress();
  show();
  const at = runs.findIndex(run => run.id === asked.run);
  if (asked.run && at >= 0) open(at);
  else if (inAddress) $("gallery").scrollIntoView();
}
addEventListener("hashchange", () => { if (location.hash.includes("?")) follow(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
follow();
whenSeen($("panels")?.parentElement, startCurves);
whenSeen($("points")?.closest(".panel"), startTradeoff);
