# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the page's script that puts search, the list of logs and the lines of one together."""

from __future__ import annotations

VIEWER = r"""
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SIGNS = { success: "✓", failure: "✗", cancelled: "⊘", killed: "☠" };

function say(text) {
  byId("said").textContent = text;
}

const many = (number, word) => figure(number) + " " + word + (number === 1 ? "" : "s");

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
    this.wanted = null; // what is looked for, once it is known to come to an end
    const ask = (log, numbers) => this.helper.send("lines", { log, numbers, wanted: this.wanted });
    this.list = new Lines(ask, (line) => this.choose(line));
    this.helper = new Helper(logs, (told) => this.heard(told));
    this.controls(place);
  }

  controls(place) {
    const plain = { autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/" };
    this.words = el("input", { type: "search", id: "words", placeholder: "Search all logs", ...plain });
    const [regular, regularLabel] = checkbox("regular", "Regular expression");
    const [cased, casedLabel] = checkbox("cased", "Match case");
    const [only, onlyLabel] = checkbox("only", "Only lines that match");
    Object.assign(this, { regular, cased, only });
    this.before = button("↑", "Previous hit (Shift+Enter)");
    this.next = button("↓", "Next hit (Enter)");
    const begin = button("Begin", "To the log's begin");
    const end = button("End", "To the log's end");
    this.status = el("output", { id: "status", for: "words" });
    const label = el("label", { for: "words", class: "hidden" }, "Search all logs");
    const boxes = el("span", { class: "boxes" }, regularLabel, casedLabel, onlyLabel);
    const ways = [this.before, this.next, this.status];
    const form = el("form", { role: "search" }, label, this.words, ways, boxes);
    this.head = el("p", { class: "which" });
    const region = { tabindex: "0", dir: "ltr", role: "region", "aria-label": "The chosen line" };
    this.full = el("pre", { id: "whole", ...region });
    this.full.hidden = true;
    this.links = this.logs.map((log) => this.link(log));
    const names = el("nav", { class: "names", "aria-label": "Logs" }, this.links);
    const bar = el("div", { class: "bar" }, this.head, begin, end);
    const pane = el("div", { class: "pane" }, bar, this.list.window, this.full);
    place.append(form, el("div", { class: "panes" }, names, pane));
    let timer = 0;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.search(), 40);
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
    const seen = { class: "sign " + log.verdict, "aria-hidden": "true" };
    const sign = el("span", seen, SIGNS[log.verdict] || "·");
    log.badge = el("span", { class: "badge" });
    const name = visible(log.path.replace(/^logs\//, "").replace(/\.log$/, ""));
    return el("a", { href: address(log.path) }, sign, el("span", {}, name), log.badge);
  }

  // Shows a log: at a line, at its end, or at its begin.
  show(place, line, end) {
    const log = this.logs[place];
    if (place !== this.open) this.full.hidden = true;
    this.open = place;
    for (const [number, link] of this.links.entries()) {
      if (number === place) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const cut = log.cut ? el("span", { class: "cut" }, " " + visible(log.cut)) : "";
    this.head.replaceChildren(el("strong", {}, visible(log.path)), " " + many(log.lines, "line"), cut);
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
    this.whole = this.helper.send("line", { log: this.open, number: line, wanted: this.wanted });
  }

  search() {
    const words = this.words.value;
    this.current = -1;
    this.found = null;
    this.mark(null);
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
      new RegExp(source, flags);
    } catch (error) {
      this.helper.stop();
      this.words.setAttribute("aria-invalid", "true");
      this.status.textContent = String(error.message).replace(/^Invalid regular expression: /, "");
      return this.refresh(true);
    }
    this.found = new Found(this.logs.length);
    this.sought = { source, flags };
    this.soughtWords = words;
    this.asked = this.helper.search({ source, flags, plain: !this.regular.checked });
    this.status.textContent = "…";
  }

  heard(told) {
    if (told.type === "lines") this.list.take(told);
    if (told.type === "line" && told.id === this.whole) this.showWhole(told.line);
    if (told.type === "gone") this.mark(null);
    if (told.type === "problem" || told.type === "gone") this.status.textContent = told.said;
    if (told.id !== this.asked || !this.found) return;
    if (told.type === "hits") {
      this.found.add(told.log, told.numbers);
      this.logs[told.log].badge.textContent = figure(this.found.counts[told.log]);
      this.count("…");
    }
    if (told.type === "found") {
      this.mark(this.sought);
      this.count("");
      this.refresh(this.only.checked || !this.found.total);
      if (this.found.total) this.step(0);
      say(this.status.textContent);
      document.documentElement.dataset.searched = this.soughtWords;
    }
  }

  // From now on, this is marked in lines.
  mark(wanted) {
    this.wanted = wanted;
    this.list.forget(this.helper.number);
  }

  count(more) {
    const logs = many(this.found.counts.filter(Boolean).length, "log");
    const where = this.current >= 0 ? figure(this.current + 1) + " of " : "";
    const said = where + many(this.found.total, "line") + " in " + logs + more;
    this.status.textContent = this.found.total ? said : more || "Nothing found";
  }

  // To the next hit, or the one before; 0 is the first at or after what is in sight.
  step(way) {
    if (!this.found || !this.found.total) return;
    const { total } = this.found;
    const near = () => this.found.after(Math.max(0, this.open), this.list.line || 1) % total;
    if (this.current < 0 || way === 0) this.current = near();
    else this.current = (this.current + way + total) % total;
    const [log, line] = this.found.at(this.current);
    history.replaceState(null, "", address(this.logs[log].path, line));
    this.show(log, line, false);
    this.count("");
  }

  showWhole(line) {
    const { path } = this.logs[this.open];
    const link = el("a", { href: address(path, this.chosen) }, "Line " + figure(this.chosen));
    this.full.replaceChildren(link, "\n", ...shown(line, ""));
    this.full.hidden = false;
    const hit = this.full.querySelector("mark");
    this.full.scrollTop = hit ? hit.offsetTop - this.full.offsetTop - 40 : 0;
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
    this.show(place, Math.min(Number(line) || 0, log.lines), ["failure", "killed"].includes(log.verdict));
    byId("logs").scrollIntoView();
    return true;
  }
}
"""
