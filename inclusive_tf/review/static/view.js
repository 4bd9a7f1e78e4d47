// Draws a suspicion. Whatever comes from the data is set as text.
const find = (id) => document.getElementById(id);
// pixels a side up to which they are shown as they are, not smoothed
const TINY = 64;
const OPEN = 0, SETTLED = 2, EXCLUDED = 3;
let map = -1;
let lastMap = 0;
let shownItem = null;

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const name = (label) => element("bdi", {}, label.name);
const quoted = (label) => element("span", { class: "label" }, "“", name(label), "”");

const KINDS = {
  wrong_label: "Label in doubt",
  missing_label: "Label may be missing",
  several_fit: "Several labels may fit",
  image: "Image in doubt",
};

function question(item) {
  if (item.kind === "wrong_label") return ["Does it show ", quoted(item.label), "?"];
  if (item.kind === "image") return ["Is the image fit for use?"];
  return ["Does it show ", quoted(item.new_label), " as well?"];
}

function suggestion(item) {
  const said = [];
  if (item.kind === "wrong_label" && item.new_label) {
    said.push("It seems to be ", quoted(item.new_label), " instead. ");
  }
  if (item.kind === "several_fit") said.push("Listed is ", quoted(item.label), ". ");
  if (item.detail) said.push(element("bdi", { class: "detail" }, item.detail));
  return said;
}

// The texts of the answers, by kind and by the label that is chosen.
function wording(item, label) {
  const chosen = label ? quoted(label) : "";
  const suggested = item.new_label ? quoted(item.new_label) : "";
  const isMissing = item.kind === "missing_label";
  const isMain = label && item.label && label.id === item.label.id;
  return {
    keep: {
      wrong_label: ["Yes, keep it"], missing_label: ["No, keep as is"],
      several_fit: ["No, keep as is"], image: ["Yes, keep it"],
    }[item.kind],
    remove: isMain && item.kind === "wrong_label"
      ? ["No, remove it"] : ["Remove ", chosen],
    relabel: isMain ? ["No, it is ", suggested] : [chosen, " is ", suggested],
    fit: isMissing ? ["Yes, add it"]
      : item.kind === "several_fit" ? ["Yes, both fit"] : ["Both fit"],
    other: ["Replace …"], add: ["Add a label …"], merge: ["Merge …"],
    exclude: ["Exclude the image"],
  };
}

function button(action, text, isMain) {
  const can = Boolean(action.can());
  // one that cannot be used now stays where it is, and in the order of Tab
  const made = element("button", { type: "button", "aria-disabled": !can && "true",
    "aria-keyshortcuts": action.key.toUpperCase(), class: isMain && "main",
    "data-key": action.key }, element("span", {}, ...text), element("kbd", {}, action.key));
  made.addEventListener("click", () => { if (action.can()) action.run(); });
  return made;
}

function renderActions(item, actions, label) {
  const texts = wording(item, label);
  const main = {
    wrong_label: ["keep", "remove", "relabel", "fit"],
    missing_label: ["fit", "keep"],
    several_fit: ["fit", "keep", "remove", "relabel"],
    image: ["keep", "exclude"],
  }[item.kind];
  // an answer that this kind can never take is not offered
  const isOffered = (one) => !(one === "relabel" && (item.kind === "missing_label"
    || !item.new_label)) && !(one === "fit" && !item.new_label);
  const offered = main.filter(isOffered);
  const rest = ["remove", "other", "add", "merge", "exclude"]
    .filter((one) => !main.includes(one));
  const make = (one) => button(actions[one], texts[one], one === offered[0]);
  find("actions").replaceChildren(...offered.map(make));
  find("more").replaceChildren(...rest.map(make));
}

function renderLabels(item, chosen) {
  const rows = item.labels.map((label, place) => element("label", {},
    element("input", { type: "radio", name: "in-question", value: label.id,
      checked: label.id === chosen }),
    element("kbd", { "aria-hidden": "true" }, place < 9 ? `${place + 1}` : "·"),
    element("span", {}, name(label))));
  const none = item.excluded ? "The image is excluded." : "It has no label.";
  find("labels").replaceChildren(...(rows.length ? rows : [element("p", {}, none)]));
}

function renderDefinitions(item, chosen) {
  const about = [item.label?.id, item.new_label?.id, chosen];
  const wanted = item.definitions.filter((one) => about.includes(one.id));
  find("definitions").replaceChildren(...wanted.map((one) => element("section", {},
    element("h3", {}, name(one)),
    ...(one.definition ? [element("p", { dir: "auto" }, one.definition)] : []),
    ...(one.checklist.length ? [element("ul", {}, ...one.checklist.map(
      (text) => element("li", { dir: "auto" }, text)))] : []))));
}

function renderAnswer(item) {
  const parts = [];
  if (item.answer) {
    const when = new Date(item.answer.time).toLocaleString([], { dateStyle: "medium",
      timeStyle: "short" });
    parts.push(element("bdi", {}, item.answer.who), ` ${item.answer.said} (${when}).`);
  } else if (item.status === SETTLED) {
    parts.push("Other decisions have settled this.");
  } else if (item.status === EXCLUDED) {
    parts.push("The image is excluded.");
  }
  const open = item.others.filter((one) => one.status === OPEN).length;
  if (open) parts.push(` ${open} more ${open === 1 ? "question" : "questions"} on this image.`);
  find("answer").replaceChildren(...parts);
  find("answer").hidden = !parts.length;
  find("answer").className = item.status === OPEN ? "" : "answered";
}

function renderProgress(item) {
  const [open, decided, settled, excluded] = item.counts;
  const done = item.total - open;
  find("progress").max = item.total;
  find("progress").value = done;
  find("counts").textContent = open
    ? `${decided.toLocaleString("en")} decided, ${open.toLocaleString("en")} open`
    : `All done: ${decided.toLocaleString("en")} decided`
      + (settled + excluded ? `, ${(settled + excluded).toLocaleString("en")} settled` : "");
  find("place").textContent = `${(item.place + 1).toLocaleString("en")} of ${item.total.toLocaleString("en")}`;
  find("previous").setAttribute("aria-disabled", item.place === 0);
  find("next").setAttribute("aria-disabled", item.place + 1 === item.total);
}

function renderImage(item, run) {
  const picture = find("image");
  const source = map >= 0 && item.maps[map]
    ? `/maps/${item.place}/${map}?v=${run}` : `/images/${item.row}?v=${run}`;
  if (picture.getAttribute("src") !== source) {
    find("broken").hidden = true;
    picture.hidden = false;
    picture.src = source;
  }
  picture.alt = map >= 0 && item.maps[map]
    ? `Image ${item.id}, with the map ${describe(item.maps[map])}` : `Image ${item.id}`;
  find("caption").replaceChildren(element("bdi", {}, item.id), " · ",
    element("bdi", {}, item.group), " · ", element("bdi", {}, item.split),
    ...(item.text ? [" · ", element("bdi", {}, item.text)] : []));
}

const describe = (one) => `${one.label}: ${one.method}`;

function renderMaps(item, run) {
  find("maps").hidden = !item.maps.length;
  const choices = [[-1, "Image", null], ...item.maps.map((one, place) => [
    place, describe(one), one.degenerate ? "flat: it shows nothing" : `the ${one.role} label`])];
  find("maps").replaceChildren(element("kbd", { "aria-hidden": "true" }, "o"),
    ...choices.map(([place, text, title]) => {
      const made = element("button", { type: "button", title, "aria-pressed": `${place === map}`,
        class: title?.startsWith("flat") && "flat" }, text);
      made.addEventListener("click", () => setMap(place, run));
      return made;
    }));
}

let currentRun = "";
function setMap(place) {
  map = place;
  if (place >= 0) lastMap = place;
  renderImage(shownItem, currentRun);
  renderMaps(shownItem, currentRun);
}

export function toggleMap() {
  if (shownItem.maps.length) setMap(map >= 0 ? -1 : Math.min(lastMap, shownItem.maps.length - 1));
}

export function stepMap(step) {
  const count = shownItem.maps.length;
  if (count) setMap(map < 0 ? (step > 0 ? 0 : count - 1) : (map + step + count) % count);
}

export function showNeighbours(found, run) {
  find("near").hidden = !found.length;
  find("neighbours").replaceChildren(...found.map((one) => {
    const labels = one.labels.map((label) => label.name).join(", ") || "no label";
    const picture = element("img", { src: `/images/${one.row}?v=${run}`, alt: "",
      loading: "lazy" });
    picture.addEventListener("load", markTiny);
    return element("li", { title: `${one.id} (${one.split}), distance ${one.distance.toPrecision(3)}` },
      element("span", { class: "thumbnail" }, picture),
      element("span", { class: "shown", dir: "auto" }, labels));
  }));
}

function markTiny({ target }) {
  target.classList.toggle("tiny", Math.max(target.naturalWidth, target.naturalHeight) <= TINY);
}

export function render(item, run, actions, chosen) {
  const isNew = !shownItem || shownItem.place !== item.place;
  shownItem = item;
  currentRun = run;
  if (map >= item.maps.length) map = item.maps.length - 1;
  const ids = item.labels.map((one) => one.id);
  const label = chosen ?? (ids.includes(item.label?.id) ? item.label.id : ids[0]);
  find("kind").textContent = KINDS[item.kind];
  find("score").value = item.score;
  find("score-text").textContent = item.score.toFixed(2);
  find("question").replaceChildren(...question(item));
  find("suggestion").replaceChildren(...suggestion(item));
  if (chosen === undefined) renderLabels(item, label);
  renderActions(item, actions, item.labels.find((one) => one.id === label));
  renderDefinitions(item, label);
  renderAnswer(item);
  renderProgress(item);
  renderImage(item, run);
  renderMaps(item, run);
  if (isNew) find("near").hidden = true;
  if (item.preload !== null) new Image().src = `/images/${item.preload}?v=${run}`;
}

find("image").addEventListener("load", markTiny);
find("image").addEventListener("error", () => {
  find("image").hidden = true;
  find("broken").hidden = false;
});
