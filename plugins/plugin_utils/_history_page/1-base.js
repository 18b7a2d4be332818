// Copyright (c) 2026 distrogate.ci maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What all views need. Whatever comes from data becomes text of the page, never markup.

"use strict";

const SHOWN = 100; // rows of a table before somebody asks for more
const WORDS = { PASSED: ["✓", "passed"], FAILED: ["✗", "failed"] };
const loaded = new Map();
const waiting = new Map();

// Data arrives by scripts that call this: a page of file:// may load nothing else.
window.distrogate = function (name, text) {
  loaded.set(name, JSON.parse(text));
  const ready = waiting.get(name);
  if (ready) ready();
  if (name === "history") window.addEventListener("DOMContentLoaded", start);
};

function load(name, file) {
  if (loaded.has(name)) return Promise.resolve(loaded.get(name));
  return new Promise((resolve, reject) => {
    waiting.set(name, () => resolve(loaded.get(name)));
    const script = el("script", { src: file });
    script.onerror = () => reject(new Error(file + " cannot be read. Load this page anew: it was written again."));
    document.head.append(script);
  });
}

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  for (const child of children.flat(9)) {
    if (child !== null && child !== undefined && child !== "") made.append(child);
  }
  return made;
}

const hidden = (text) => el("span", { class: "hidden" }, text);
const mark = (text, kind, title) => el("span", { class: "mark " + (kind || ""), title }, text);
const quiet = (text) => el("p", { class: "quiet" }, text);
const short = (digest) => String(digest || "").slice(0, 12);
const code = (text) => el("code", { class: String(text).length < 20 ? "one" : null }, text);
const count = (number, word) => number + " " + word + (number === 1 ? "" : "s");

function when(text) {
  const shown = String(text || "").replace("T", " ").replace(/:\d\d(\.\d+)?Z$/, "");
  return el("time", { datetime: text || null, title: text ? text + " (UTC)" : null, class: "one" }, shown || "unknown");
}

// Only what a browser can open, and not what it would run.
function outside(address) {
  const text = String(address);
  return /^https?:\/\//i.test(text) ? el("a", { href: text, rel: "noopener noreferrer" }, text) : text;
}

function verdict(result, said) {
  const known = typeof result === "string" && Object.hasOwn(WORDS, result); // "constructor" is a word, too
  const other = typeof result === "string" ? result : JSON.stringify(result);
  const [sign, word] = known ? WORDS[result] : result ? ["?", other] : ["", "not tested"];
  return el("td", { class: "verdict " + (known ? result : ""), title: word }, el("span", { "aria-hidden": "true" }, sign), said ? " " + word : hidden(word));
}

function bundleLink(digest) {
  if (!digest) return "";
  const name = code(short(digest));
  return byDigest.has(digest) ? el("a", { href: "#/bundle/" + digest, title: "sha256:" + digest }, name) : el("span", { title: "sha256:" + digest + ", not on this page" }, name);
}

const channelLink = (name) => el("a", { href: "#/channel/" + encodeURIComponent(name) }, name);

function named(name) {
  const channel = overview.channels.some((one) => one.name === name);
  return el("span", { class: "mark name" }, channel ? channelLink(name) : name);
}

// A table that scrolls inside itself. Rows are made when they are shown.
function table(label, heads, items, row) {
  const body = el("tbody");
  const more = el("button", { type: "button" });
  let shown = 0;
  function show(focus) {
    const from = shown;
    shown = Math.min(items.length, shown + SHOWN);
    for (const item of items.slice(from, shown)) body.append(row(item));
    more.textContent = "Show " + Math.min(SHOWN, items.length - shown) + " more of " + items.length;
    more.hidden = shown >= items.length;
    const link = focus && body.rows[from] && body.rows[from].querySelector("a");
    if (link) link.focus();
  }
  more.addEventListener("click", () => show(true));
  show(false);
  const cells = heads.map((head) => (head.stage ? el("th", { scope: "col", class: "verdict", title: head.stage }, el("span", {}, head.stage)) : el("th", { scope: "col" }, head)));
  const wide = el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, el("caption", { class: "hidden" }, label), el("thead", {}, el("tr", {}, cells)), body));
  return [wide, el("p", {}, more)];
}

const cells = (...contents) => el("tr", {}, contents.map((one) => (one instanceof HTMLTableCellElement ? one : el("td", {}, one))));

function facts(rows) {
  return el("dl", {}, rows.filter(([, value]) => value && (!Array.isArray(value) || value.length)).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function expired(waiver) {
  return Date.parse(waiver.expires) <= Date.now(); // a waiver without a time is shown as one that counts
}

function waiverMark(waiver, brief) {
  const what = waiver.rule + (waiver.stage ? " of " + waiver.stage : "");
  const until = String(waiver.expires || "").slice(0, 10);
  if (brief) return mark("waived: " + (waiver.stage || waiver.rule), "warn one", what + " until " + until);
  return expired(waiver) ? mark("waiver of " + what + " expired " + until) : mark("waived until " + until + ": " + what, "warn");
}
