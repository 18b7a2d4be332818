# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the page's script that puts the viewer together, and follows addresses and keys."""

from __future__ import annotations

START = r"""
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SIGNS = { success: "✓", failure: "✗", cancelled: "⊘", killed: "☠" };

function say(text) {
  byId("said").textContent = text;
}

function checkbox(id, label) {
  const input = el("input", { type: "checkbox", id });
  return [input, el("label", { for: id }, input, " " + label)];
}

const button = (label, title) => el("button", { type: "button", title, "aria-label": title }, label);

class Viewer {
  constructor(place, logs) {
    this.logs = logs;
    this.found = null;
    this.asked = 0;
    this.current = -1; // of all hits
    this.open = -1;
    this.whole = 0;
    this.list = new Lines((log, numbers) => this.helper.send("lines", { log, numbers }), (line) => this.choose(line));
    this.helper = new Helper(logs, (told) => this.heard(told));
    this.controls(place);
  }

  controls(place) {
    this.words = el("input", { type: "search", id: "words", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/", placeholder: "Search all logs" });
    const [regular, regularLabel] = checkbox("regular", "Regular expression");
    const [cased, casedLabel] = checkbox("cased", "Match case");
    const [only, onlyLabel] = checkbox("only", "Only lines that match");
    Object.assign(this, { regular, cased, only });
    this.before = button("↑", "Previous hit (Shift+Enter)");
    this.next = button("↓", "Next hit (Enter)");
    const begin = button("Begin", "To the log's begin");
    const end = button("End", "To the log's end");
    this.status = el("output", { id: "status", for: "words" });
    const form = el("form", { role: "search" }, el("label", { for: "words", class: "hidden" }, "Search all logs"), this.words, this.before, this.next, this.status, el("span", { class: "boxes" }, regularLabel, casedLabel, onlyLabel));
    this.head = el("p", { class: "which" });
    this.whole_ = el("pre", { id: "whole", tabindex: "0", dir: "ltr", "aria-label": "The chosen line", hidden: "" });
    this.links = this.logs.map((log) => this.link(log));
    const names = el("nav", { class: "names", "aria-label": "Logs" }, this.links);
    const bar = el("div", { class: "bar" }, this.head, begin, end);
    place.append(form, el("div", { class: "panes" }, names, el("div", { class: "pane" }, bar, this.list.window, this.whole_)));
    let timer = 0;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.search(), 120);
    };
    this.words.addEventListener("input", later);
    regular.addEventListener("change", () => this.search());
    cased.addEventListener("change", () => this.search());
    only.addEventListener("change", () => this.refresh(true));
    form.addEventListener("submit", (event) => event.preventDefault());
    this.words.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
    });
    this.before.addEventListener("click", () => this.step(-1));
    this.next.addEventListener("click", () => this.step(1));
    begin.addEventListener("click", () => this.list.go(0));
    end.addEventListener("click", () => this.list.end());
  }

  link(log) {
    const sign = el("span", { class: "sign " + log.verdict, "aria-hidden": "true" }, SIGNS[log.verdict] || "·");
    log.badge = el("span", { class: "badge" });
    return el("a", { href: address(log.path) }, sign, el("span", {}, visible(log.path.replace(/^logs\//, "").replace(/\.log$/, ""))), log.badge);
  }

  // Shows a log: at a line, at its end, or at its begin.
  show(place, line, end) {
    const log = this.logs[place];
    if (place !== this.open) this.whole_.hidden = true;
    this.open = place;
    this.links.forEach((link, number) => (number === place ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    const [stage, lines] = [visible(log.path), figure(log.lines) + (log.lines === 1 ? " line" : " lines")];
    this.head.replaceChildren(el("strong", {}, stage), " " + lines, log.cut ? el("span", { class: "cut" }, " " + visible(log.cut)) : "");
    this.list.line = line;
    this.refresh(false);
    if (line) this.list.go(this.list.rowOf(line));
    else if (end) this.list.end();
    else this.list.go(0);
    if (line) this.ask(line);
  }

  // Draws anew, with what is looked for; keeps the place when only the filter changed.
  refresh(stay) {
    const log = this.logs[this.open];
    if (!log) return;
    const top = this.list.number(Math.floor((this.list.window.scrollTop * this.list.scale) / ROW)) || 1;
    const filter = this.only.checked && this.found;
    this.list.pattern = this.pattern || null;
    this.list.show(log, this.open, filter ? this.found.in(this.open) : null);
    if (stay) this.list.go(this.list.rowOf(this.list.line || top));
  }

  choose(line) {
    history.replaceState(null, "", address(this.logs[this.open].path, line));
    this.list.line = line;
    this.list.draw();
    this.ask(line);
  }

  ask(line) {
    this.chosen = line;
    this.whole = this.helper.send("line", { log: this.open, number: line });
  }

  search() {
    const words = this.words.value;
    this.current = -1;
    this.found = null;
    this.pattern = null;
    this.logs.forEach((log) => (log.badge.textContent = ""));
    this.words.removeAttribute("aria-invalid");
    document.documentElement.dataset.searched = "";
    if (!words) {
      this.helper.stop();
      this.status.textContent = "";
      return this.refresh(true);
    }
    const source = this.regular.checked ? words : plainPattern(words);
    const flags = this.cased.checked ? "u" : "iu";
    try {
      this.pattern = new RegExp(source, flags + "g");
    } catch (error) {
      this.helper.stop();
      this.words.setAttribute("aria-invalid", "true");
      this.status.textContent = String(error.message).replace(/^Invalid regular expression: /, "");
      return this.refresh(true);
    }
    this.found = new Found(this.logs.length);
    this.asked = this.helper.search({ source, flags, plain: !this.regular.checked });
    this.status.textContent = "…";
  }

  heard(told) {
    if (told.type === "lines") this.list.take(told.log, told.rows);
    if (told.type === "line" && told.id === this.whole) this.showWhole(told);
    if (told.type === "problem") this.status.textContent = told.said;
    if (told.id !== this.asked || !this.found) return;
    if (told.type === "hits") {
      this.found.add(told.log, told.numbers);
      this.logs[told.log].badge.textContent = figure(this.found.counts[told.log]);
      this.count("…");
    }
    if (told.type === "found") {
      this.count("");
      this.refresh(this.only.checked || !this.found.total);
      if (this.found.total) this.step(0);
      say(this.status.textContent);
      document.documentElement.dataset.searched = this.words.value;
    }
  }

  count(more) {
    const logs = this.found.counts.filter(Boolean).length;
    const where = this.current >= 0 ? figure(this.current + 1) + " of " : "";
    const many = figure(this.found.total) + (this.found.total === 1 ? " line" : " lines");
    this.status.textContent = this.found.total ? where + many + " in " + logs + (logs === 1 ? " log" : " logs") + more : more || "Nothing found";
  }

  // To the next hit, or the one before; 0 is the first at or after what is in sight.
  step(way) {
    if (!this.found || !this.found.total) return;
    const { total } = this.found;
    if (this.current < 0 || way === 0) this.current = this.found.after(Math.max(0, this.open), this.list.line || 1) % total;
    else this.current = (this.current + way + total) % total;
    const [log, line] = this.found.at(this.current);
    history.replaceState(null, "", address(this.logs[log].path, line));
    this.show(log, line, false);
    this.count("");
  }

  showWhole({ text, length }) {
    const rest = length > text.length ? [" … " + figure(length - text.length) + " more letters"] : [];
    this.whole_.replaceChildren(el("a", { href: address(this.logs[this.open].path, this.chosen) }, "Line " + figure(this.chosen)), "\n", ...marked(text, this.pattern), ...rest);
    this.whole_.hidden = false;
  }

  // An address as in #logs/build.log:120.
  follow(hash) {
    const [, path, line] = /^#(logs\/.*?)(?::(\d{1,9}))?$/.exec(hash) || [];
    let name = path || "";
    try {
      name = decodeURIComponent(name);
    } catch {
      return false;
    }
    const place = this.logs.findIndex((log) => log.path === name);
    if (place < 0) return false;
    const log = this.logs[place];
    this.show(place, Math.min(Number(line) || 0, log.lines), log.verdict === "failure" || log.verdict === "killed");
    byId("logs").scrollIntoView();
    return true;
  }
}

function packed(place) {
  return [...document.querySelectorAll('script[data-log="' + place + '"]')].map((one) => one.textContent);
}

function openStage() {
  const target = location.hash.startsWith("#stage/") && byId(decodeURI(location.hash.slice(1)));
  if (target) target.open = true;
  if (target) target.scrollIntoView();
}

function copying() {
  const copy = byId("copy");
  if (!copy) return;
  const command = byId("replay");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      getSelection().selectAllChildren(command);
      done = document.execCommand("copy");
    }
    copy.textContent = done ? "Copied" : "Selected: copy it with Ctrl+C";
    setTimeout(() => (copy.textContent = "Copy"), 4000);
  });
}

function start() {
  copying();
  window.addEventListener("hashchange", openStage);
  openStage();
  const place = byId("viewer");
  if (!place) return;
  if (typeof DecompressionStream === "undefined") {
    place.append(el("p", { class: "mark other" }, "This browser cannot unpack the logs. They lie beside this page, in the folder logs."));
    return;
  }
  data.logs.forEach((log, number) => {
    log.lines = log.pieces.reduce((sum, lines) => sum + lines, 0);
    log.packed = () => packed(number);
  });
  const viewer = new Viewer(place, data.logs);
  window.addEventListener("hashchange", () => viewer.follow(location.hash));
  document.addEventListener("keydown", (event) => {
    const writing = ["INPUT", "TEXTAREA"].includes(document.activeElement.tagName);
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      viewer.words.select();
    }
  });
  if (!viewer.follow(location.hash)) viewer.show(data.first, 0, data.end);
  viewer.helper.send("warm");
}

start();
"""
