// The page of a review: asks the server, answers keys. Texts are set as text, never
// as markup, and the server checks whatever is sent to it.
import { choose } from "./chooser.js";
import { render, showNeighbours, stepMap, toggleMap } from "./view.js";

const page = document.body.dataset;
const find = (id) => document.getElementById(id);
const undoKey = `undo-${page.run}`;
// the status that says that a decision was withdrawn before
const GONE = 410;
let item = null;
let busy = false;
let vocabulary = null;

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Review-Token": page.token },
    body: JSON.stringify(body),
  };
  try {
    const answer = await fetch(path, options);
    return { status: answer.status, data: await answer.json() };
  } catch {
    return { status: 0, data: { error: "The server does not answer. What was saved is "
      + "safe; start it again and open the link that it prints." } };
  }
}

// One question at a time: a key pressed before the answer belongs to what was shown.
async function exclusively(work) {
  if (busy) return;
  busy = true;
  find("main").setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    busy = false;
    find("main").setAttribute("aria-busy", "false");
  }
}

function alertWith(text) {
  find("alert").textContent = text;
  find("alert").hidden = !text;
}

let fading = null;
function say(text) {
  find("said").textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { find("said").textContent = ""; }, 5000);
}

function show(next, said) {
  const moved = !item || item.place !== next.place;
  item = next;
  history.replaceState(null, "", `#${item.place + 1}`);
  render(item, page.run, actions);
  if (said !== undefined) say(said);
  if (moved) find("question").focus({ preventScroll: true });
  if (moved && page.neighbours === "yes") loadNeighbours(item.place);
}

async function loadNeighbours(place) {
  const { status, data } = await ask(`/api/neighbours/${place}`);
  if (item.place === place) showNeighbours(status === 200 ? data.neighbours : [], page.run);
}

function go(place) {
  if (place === null || place < 0 || place >= item.total) return;
  exclusively(async () => {
    const { status, data } = await ask(`/api/suspects/${place}`);
    alertWith(status === 200 ? "" : data.error);
    if (status === 200) show(data, "");
  });
}

function received({ status, data }, said) {
  alertWith(status === 200 ? "" : data.error);
  if (data.item) show(data.item, status === 200 ? said : "");
  return status === 200;
}

function decide(action, label = "", newLabel = "", { place, seen } = item) {
  exclusively(async () => {
    const answer = await ask("/api/decisions",
      { place, seen, action, label, new_label: newLabel });
    if (answer.status === 200) {
      const stack = JSON.parse(sessionStorage.getItem(undoKey) || "[]");
      sessionStorage.setItem(undoKey, JSON.stringify([...stack, answer.data.number]));
      if (["merge", "relabel"].includes(action)) vocabulary = null;
    }
    received(answer, `Saved: ${answer.data.said}.`);
  });
}

// What this window did last; after a fresh start, what was said of this image.
function undo() {
  const stack = JSON.parse(sessionStorage.getItem(undoKey) || "[]");
  const number = stack.pop() ?? item.answer?.number ?? item.latest[0]?.number;
  if (number === undefined) {
    say("There is nothing to undo here.");
    return;
  }
  exclusively(async () => {
    const answer = await ask("/api/undo", { number, seen: item.seen, place: item.place });
    // one that was refused or not saved stands, and is what the next undo is about
    if ([200, GONE].includes(answer.status)) {
      sessionStorage.setItem(undoKey, JSON.stringify(stack));
    }
    vocabulary = null;
    received(answer, `Undone: ${answer.data.said}.`);
  });
}

function inQuestion() {
  const chosen = document.querySelector("#labels input:checked");
  return item.labels.find((one) => one.id === chosen?.value) || null;
}

// What is chosen is about the suspicion that was shown when it was asked for.
async function chooseLabel(title, note, options, take) {
  if (busy) return;
  const about = item;
  if (!vocabulary) await exclusively(loadVocabulary);
  if (!vocabulary) return;
  const chosen = await choose({ title, note, vocabulary, ...options });
  if (chosen) take(chosen, about);
}

async function loadVocabulary() {
  const { status, data } = await ask("/api/labels");
  alertWith(status === 200 ? "" : data.error);
  if (status === 200) vocabulary = data.labels;
}

function replaceChosen(action, title, note, without) {
  const { id, name } = inQuestion();
  chooseLabel(title(name), note, { without, first: suggestedFirst(), mayMake: true },
    (chosen, about) => decide(action, id, chosen, about));
}

const shown = () => new Set(item.labels.map((one) => one.id));
const suggestedFirst = () => item.new_label?.id;

// Each answer: whether it can be given now, what it is called, and what it does.
const actions = {
  keep: { key: "k", can: () => !item.excluded, run: () => decide("keep") },
  remove: { key: "w", can: () => inQuestion(),
    run: () => decide("remove", inQuestion().id) },
  relabel: { key: "r",
    can: () => inQuestion() && item.new_label && inQuestion().id !== item.new_label.id,
    run: () => decide("relabel", inQuestion().id, item.new_label.id) },
  fit: { key: "f",
    can: () => item.new_label && !item.excluded && !shown().has(item.new_label.id),
    run: () => (item.kind === "missing_label" || !inQuestion()
      ? decide("add", item.new_label.id)
      : decide("several_fit", inQuestion().id, item.new_label.id)) },
  other: { key: "c", can: () => inQuestion(),
    run: () => replaceChosen("relabel", (name) => `Replace “${name}” by …`, "", shown()) },
  add: { key: "a", can: () => !item.excluded,
    run: () => chooseLabel("Add a label", "",
      { without: shown(), first: suggestedFirst() },
      (chosen, about) => decide("add", chosen, "", about)) },
  merge: { key: "m", can: () => inQuestion(),
    run: () => replaceChosen("merge", (name) => `Merge “${name}” into …`,
      "This changes every image that shows it, and the label leaves the data.",
      new Set([inQuestion().id])) },
  exclude: { key: "e", can: () => !item.excluded, run: () => decide("exclude") },
};

const moves = {
  n: () => go(item.place + 1), ArrowRight: () => go(item.place + 1),
  p: () => go(item.place - 1), ArrowLeft: () => go(item.place - 1),
  g: () => go(item.next_open), u: undo, o: toggleMap,
  "[": () => stepMap(-1), "]": () => stepMap(1), "?": () => find("keys").showModal(),
};

function pressed(event) {
  const { key, target } = event;
  // a key pressed before the answer, or before a dialog opens, is no decision
  if (!item || busy || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const isRadio = target.matches("input[type=radio]");
  if (target.matches("input, textarea, select") && !isRadio) return;
  if (key.startsWith("Arrow") ? isRadio : key !== "?" && !find("single-keys").checked) return;
  const name = key.length === 1 ? key.toLowerCase() : key;
  const action = Object.values(actions).find((one) => one.key === name);
  if (action) {
    if (!event.repeat && action.can()) action.run();
  } else if (moves[name]) {
    moves[name]();
  } else if (/^[1-9]$/.test(name)) {
    document.querySelectorAll("#labels input")[name - 1]?.click();
  } else {
    return;
  }
  event.preventDefault();
}

document.addEventListener("keydown", pressed);
document.addEventListener("change", ({ target }) => {
  if (target.name === "in-question") render(item, page.run, actions, target.value);
});
find("next").addEventListener("click", moves.n);
find("previous").addEventListener("click", moves.p);
find("undo").addEventListener("click", undo);
find("help").addEventListener("click", moves["?"]);
find("single-keys").checked = localStorage.getItem("single-keys") !== "off";
find("single-keys").addEventListener("change", ({ target }) => {
  localStorage.setItem("single-keys", target.checked ? "on" : "off");
});
// what another window did meanwhile is shown before anything is decided on it
window.addEventListener("focus", async () => {
  if (!item || document.querySelector("dialog[open]")) return;
  // keys go on meanwhile, since the server refuses what is outdated
  const { place } = item;
  const { status, data } = await ask(`/api/suspects/${place}`);
  const isStale = busy || item.place !== place || data.seen <= item.seen;
  if (status === 200 && !isStale && !document.querySelector("dialog[open]")) show(data);
});

const asked = Number.parseInt(location.hash.slice(1), 10);
item = { total: Number.MAX_SAFE_INTEGER, place: -1 };
exclusively(async () => {
  let answer = { status: 404 };
  if (asked > 0) answer = await ask(`/api/suspects/${asked - 1}`);
  if (answer.status === 404) answer = await ask(`/api/suspects/${page.first}`);
  if (answer.status === 200) show(answer.data);
  else { item = null; alertWith(answer.data.error); }
});
