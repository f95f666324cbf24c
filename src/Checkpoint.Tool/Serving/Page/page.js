// The life of the status page: news by server-sent events, the slider, Sync now. Everything it shows, the server has drawn.
"use strict";

const $ = id => document.getElementById(id);
const tokenKey = "apollo-checkpoint-token";

// The link that serve prints carries the token behind "#", which no server and no log ever sees. It stays in this tab.
if (location.hash.startsWith("#token=")) {
  sessionStorage.setItem(tokenKey, decodeURIComponent(location.hash.slice(7)));
  history.replaceState(null, "", location.pathname + location.search);
}

let chosen = new URLSearchParams(location.search).get("version");
let shown = "";

async function refresh() {
  const answer = await fetch(location.pathname + (chosen ? "?version=" + encodeURIComponent(chosen) : location.search));
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("page");
  const focused = document.activeElement?.id;
  const open = document.querySelector("#picture details")?.open;
  $("page").replaceWith(document.adoptNode(fresh));
  wire();
  if (open) document.querySelector("#picture details").open = true;
  if (focused) $(focused)?.focus();
}

async function sync() {
  say("");
  const token = sessionStorage.getItem(tokenKey);
  const answer = await fetch("sync?by=page", { method: "POST", headers: token ? { Authorization: "Bearer " + token } : {} });
  if (answer.status === 401) {
    sessionStorage.removeItem(tokenKey);
    if (token) say("the token was not taken");
    $("ask").showModal();
  } else if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    say([problem.detail ?? "the service refused", problem.next].filter(Boolean).join("; "));
  }
}

function say(text) {
  $("said").textContent = text;
}

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < 4) { bytes /= 1000; unit++; }
  return bytes.toFixed(unit === 0 || bytes >= 99.95 ? 0 : 1) + " " + units[unit];
}

function show(run) {
  const isRunning = run.state === "running";
  $("sync").disabled = isRunning;
  $("bar").hidden = !isRunning;
  if (isRunning && run.progress) {
    $("bar").value = run.progress.doneBytes / Math.max(1, run.progress.totalBytes);
    say(`${run.progress.stage}: ${size(run.progress.doneBytes)} of ${size(run.progress.totalBytes)}`);
  } else if (isRunning) {
    $("bar").removeAttribute("value");
    say(`${run.kind} is running`);
  }
  const state = run.id + run.state;
  if (shown && state !== shown) {
    refresh().then(() => say(isRunning ? "" : `run ${run.id}: ${run.sentence}`));
  }
  shown = state;
}

function ago() {
  for (const time of document.querySelectorAll("header time")) {
    const seconds = Math.round((Date.now() - Date.parse(time.dateTime)) / 1000);
    const far = Math.abs(seconds);
    const text = far < 90 ? far + " s" : far < 5400 ? Math.round(far / 60) + " m" : far < 172800 ? Math.round(far / 3600) + " h" : Math.round(far / 86400) + " days";
    time.title = time.dateTime;
    time.dataset.at ??= time.textContent;
    time.textContent = time.dataset.at + (seconds >= 0 ? ` (${text} ago)` : ` (in ${text})`);
  }
}

async function picture() {
  const wanted = $("version").value;
  document.querySelector("output[for=version]").textContent = wanted;
  chosen = wanted === $("version").max ? null : wanted;
  const answer = await fetch("picture?version=" + wanted);
  if (!answer.ok || $("version").value !== wanted) return;
  const open = document.querySelector("#picture details")?.open;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  $("picture").replaceChildren(...fresh.childNodes);
  if (open) document.querySelector("#picture details").open = true;
  $("restore").textContent = $("restore").textContent.replace(/--to \d+/, "--to " + wanted);
}

function wire() {
  $("sync").hidden = false;
  $("sync").addEventListener("click", sync);
  $("version")?.addEventListener("input", picture);
  $("copy")?.addEventListener("click", () => navigator.clipboard.writeText($("restore").textContent).then(() => say("copied")));
  if ($("copy")) $("copy").hidden = !navigator.clipboard;
  ago();
}

wire();
setInterval(ago, 1000);
$("ask-no")?.addEventListener("click", () => $("ask").close());
$("ask-form")?.addEventListener("submit", () => {
  sessionStorage.setItem(tokenKey, $("token").value.trim());
  $("token").value = "";
  sync();
});

const news = new EventSource("events");
news.addEventListener("run", message => show(JSON.parse(message.data)));
news.addEventListener("version", message => { if (message.data !== $("page").dataset.newest) refresh(); });
news.addEventListener("error", () => say("the service does not answer; trying again"));
news.addEventListener("open", () => say(""));
