// Keeps the page true while it is open. Without it the page works as well, and loads itself anew.
"use strict";

const PACE = 1000; // milliseconds between two looks
const AGAIN = 2000; // after which a stream that ended is opened again
const main = document.getElementById("main");
const silent = document.getElementById("silent");

// Makes `old` like `fresh`, and touches only what differs: scroll, selection, focus and what is typed stay.
function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  becomeChildren(old, fresh);
}

function becomeChildren(old, fresh) {
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = child.id ? named.get(child.id) : at && !at.id ? at : null;
    if (!same) {
      old.insertBefore(child, at);
      continue;
    }
    if (same !== at) old.insertBefore(same, at);
    const next = same.nextSibling;
    become(same, child);
    at = next;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  if (fresh.documentElement.dataset.version !== document.documentElement.dataset.version) {
    location.reload(); // the daemon that answers now is another version
    return;
  }
  document.title = fresh.title;
  const content = fresh.getElementById("main");
  wanted ||= "behind" in content.dataset; // something has happened since: it is asked for at the next look
  becomeChildren(main, content);
  becomeChildren(document.querySelector("footer"), fresh.querySelector("footer"));
  countDown();
}

let looking = false;
let wanted = false;
let last = new Date();

async function look() {
  if (looking || document.hidden) {
    wanted = true;
    return;
  }
  looking = true;
  wanted = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.status);
    show(await answer.text());
    last = new Date();
    tell("");
  } catch {
    lost();
  }
  setTimeout(() => {
    looking = false;
    if (wanted) look();
  }, PACE);
}

function tell(text) {
  if (silent.textContent !== text) silent.textContent = text;
  silent.hidden = !text;
}

function lost() {
  tell(`The daemon does not answer. This is how it stood at ${last.toLocaleTimeString()}; it is asked again.`);
}

function listen() {
  const stream = new EventSource("/api/v1/changes");
  stream.addEventListener("changed", look);
  stream.onerror = () => {
    lost();
    if (stream.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    stream.close();
    setTimeout(listen, AGAIN);
  };
}

// A form acts without leaving the page: what came of it is told on the page that the answer leads to.
async function submit(event) {
  const form = event.target;
  if (form.dataset.ask && !confirm(form.dataset.ask)) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || !form.action.includes("/act/") || !("live" in main.dataset)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.text());
  } catch (error) {
    tell(error.message);
  }
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

// "next try in 12 s" moves on between two looks.
function countDown() {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = Math.ceil((new Date(place.dataset.until) - Date.now()) / 1000);
    const words = place.textContent.replace(/in .*$/, "in ");
    if (left > 0 && left < 60 && words.endsWith("in ")) place.textContent = `${words}${left} s`;
  }
}

document.addEventListener("submit", submit);
if ("live" in main.dataset) {
  listen();
  setInterval(countDown, 1000);
  document.addEventListener("visibilitychange", () => wanted && look());
}

const enter = document.getElementById("enter");
if (enter && location.hash.length > 1) {
  document.getElementById("token").value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // the token is not kept among the addresses
  enter.submit();
}
