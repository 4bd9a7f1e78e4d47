// A dialog in which one label is chosen from many, by typing a part of its name.
import { element } from "./view.js";

const find = (id) => document.getElementById(id);
const MOST_SHOWN = 60;
let options = [];
let active = 0;
let asked = null;

function matching(text) {
  const wanted = text.trim().toLowerCase();
  const ranked = [];
  for (const label of asked.vocabulary) {
    if (asked.without.has(label.id)) continue;
    const place = label.name.toLowerCase().indexOf(wanted);
    const inId = label.id.toLowerCase().indexOf(wanted);
    if (place < 0 && inId < 0) continue;
    // a name that begins so comes first, and the suggestion while nothing is typed
    const rank = label.id === asked.first && !wanted ? -1
      : place === 0 ? 0 : place > 0 ? 1 : 2;
    ranked.push([rank, label]);
  }
  ranked.sort((one, other) => one[0] - other[0]);
  const found = ranked.slice(0, MOST_SHOWN).map(([, label]) => label);
  const isKnown = asked.vocabulary.some(
    (label) => label.id === text.trim() || label.name === text.trim());
  if (asked.mayMake && wanted && !isKnown) {
    found.push({ id: text.trim(), name: `Make a new label “${text.trim()}”`, isNew: true });
  }
  return found;
}

function draw() {
  options = matching(find("chooser-input").value);
  active = Math.min(active, Math.max(0, options.length - 1));
  find("chooser-list").replaceChildren(...options.map((label, place) => {
    const made = element("li", { role: "option", id: `option-${place}`,
      "aria-selected": `${place === active}`, class: label.isNew && "new" },
    element("bdi", {}, label.name),
    ...(label.isNew || label.name === label.id ? [] : [element("small", {}, label.id)]));
    made.addEventListener("click", () => take(place));
    return made;
  }));
  if (!options.length) {
    find("chooser-list").append(element("li", { role: "option", "aria-disabled": "true",
      "aria-selected": "false" }, "No label is called so."));
  }
  const input = find("chooser-input");
  if (options.length) input.setAttribute("aria-activedescendant", `option-${active}`);
  else input.removeAttribute("aria-activedescendant");
  find(`option-${active}`)?.scrollIntoView({ block: "nearest" });
}

function take(place) {
  if (options[place]) find("chooser").close(options[place].id);
}

find("chooser-input").addEventListener("input", () => { active = 0; draw(); });
find("chooser-input").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    active = Math.max(0, Math.min(options.length - 1, active + step));
    draw();
    event.preventDefault();
  } else if (event.key === "Enter") {
    take(active);
    event.preventDefault();
  }
});

// Resolves to a label's id, or to "" where none was chosen.
export function choose({ title, note, vocabulary, without, first, mayMake = false }) {
  asked = { vocabulary, without, first, mayMake };
  active = 0;
  find("chooser-title").textContent = title;
  find("chooser-note").textContent = note;
  find("chooser-note").hidden = !note;
  find("chooser-input").value = "";
  find("chooser").returnValue = "";
  draw();
  find("chooser").showModal();
  find("chooser-input").focus();
  return new Promise((resolve) => {
    find("chooser").addEventListener("close", () => resolve(find("chooser").returnValue),
      { once: true });
  });
}
