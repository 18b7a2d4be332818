# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the page's script that draws lines: only those in sight, of ten or of ten million."""

from __future__ import annotations

LIST = r"""
const ROW = 20; // points, as in the style
const HIGHEST = 12000000; // points: no browser draws a higher element
const BATCH = 128; // lines that are asked for at once

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat(5).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// Letters that hide, turn or join what stands beside them are written out.
const HIDDEN = new RegExp(
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u180e\\u200b-\\u200f" +
    "\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]",
  "g",
);
const writtenOut = (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0");
const visible = (text) => text.replace(HIDDEN, writtenOut);

// A line with what matches marked; never markup of its own. What was cut is said.
function shown({ text, length, ranges }, rest) {
  const parts = [];
  let place = 0;
  for (const [from, to] of ranges) {
    parts.push(visible(text.slice(place, from)), el("mark", {}, visible(text.slice(from, to))));
    place = to;
  }
  parts.push(visible(text.slice(place)));
  const cut = length - text.length;
  if (cut > 0) parts.push(el("em", {}, " … " + figure(cut) + " more letters" + rest));
  return parts;
}

const figure = (number) => number.toLocaleString("en");
const pathOf = (path) => "#" + path.split("/").map(encodeURIComponent).join("/");
const address = (path, line) => pathOf(path) + (line ? ":" + line : "");

// A list of numbered lines of one log, in a window that scrolls. ask(log, numbers) brings them to take().
class Lines {
  constructor(ask, chosen) {
    this.ask = ask;
    this.rows = el("div", { class: "rows" });
    this.high = el("div", { class: "high" }, this.rows);
    this.window = el("div", { class: "window", tabindex: "0", role: "region", dir: "ltr" }, this.high);
    this.known = new Map();
    this.asked = new Set();
    this.numbers = null; // only these lines, or null for all
    this.total = 0;
    this.log = { path: "" };
    this.place = 0;
    this.line = 0;
    this.stale = new Map();
    this.since = 0;
    this.window.addEventListener("scroll", () => this.draw(), { passive: true });
    this.window.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.window.addEventListener("keydown", (event) => this.key(event));
    this.rows.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row && !event.target.closest("a") && getSelection().isCollapsed) chosen(Number(row.dataset.line));
    });
    new ResizeObserver(() => this.draw()).observe(this.window);
  }

  // What is known of lines is old: answers to questions up to this number count no more.
  forget(since) {
    this.stale = this.known;
    this.known = new Map();
    this.asked.clear();
    this.since = since;
  }

  // Shows these lines of this log: all, or only some.
  show(log, place, numbers) {
    if (log !== this.log) {
      for (const map of [this.known, this.stale, this.asked]) map.clear();
    }
    this.log = log;
    this.place = place;
    this.numbers = numbers;
    this.total = numbers ? numbers.length : log.lines;
    this.full = this.total * ROW;
    this.high.style.height = Math.min(this.full, HIGHEST) + "px";
    this.window.style.setProperty("--digits", String(log.lines).length + "ch");
    this.window.setAttribute("aria-label", "Lines of " + log.path);
    this.draw();
  }

  number(row) {
    return this.numbers ? this.numbers[row] : row + 1;
  }

  // How many points of text one point of the scroll bar stands for: 1, unless there are very many lines.
  get scale() {
    const room = Math.min(this.full, HIGHEST) - this.window.clientHeight;
    return this.full > HIGHEST ? (this.full - this.window.clientHeight) / room : 1;
  }

  wheel(event) {
    const scale = this.scale;
    if (scale === 1 || event.ctrlKey || !event.deltaY) return;
    event.preventDefault();
    const points = event.deltaMode === 1 ? event.deltaY * ROW : event.deltaY;
    this.window.scrollTop += Math.sign(points) * Math.max(1, Math.abs(points) / scale);
  }

  key(event) {
    const page = this.window.clientHeight - 2 * ROW;
    const points = { ArrowDown: ROW, ArrowUp: -ROW, PageDown: page, PageUp: -page }[event.key];
    if (!points || this.scale === 1) return;
    event.preventDefault();
    this.window.scrollTop += Math.sign(points) * Math.max(1, Math.abs(points) / this.scale);
  }

  // Puts a row into the middle of the window, or the end to its end.
  go(row) {
    this.window.scrollTop = (row * ROW - this.window.clientHeight / 2 + ROW) / this.scale;
    this.draw();
  }

  end() {
    this.window.scrollTop = this.window.scrollHeight;
    this.draw();
  }

  rowOf(line) {
    if (!this.numbers) return line - 1;
    let low = 0;
    let high = this.numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.numbers[middle] < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  draw() {
    if (!this.total) return this.rows.replaceChildren();
    const top = this.window.scrollTop;
    const text = top * this.scale;
    const first = Math.max(0, Math.min(this.total - 1, Math.floor(text / ROW)));
    const last = Math.min(this.total, first + Math.ceil(this.window.clientHeight / ROW) + 2);
    this.rows.style.transform = "translateY(" + (top - (text - first * ROW)) + "px)";
    this.need(first, last);
    const made = [];
    for (let row = first; row < last; row++) made.push(this.row(this.number(row)));
    this.rows.replaceChildren(...made);
  }

  row(number) {
    const found = this.known.get(number) || this.stale.get(number);
    const text = found ? shown(found, ": choose the line to read them") : "…";
    const link = el("a", { href: address(this.log.path, number), tabindex: "-1" }, String(number));
    const kind = number === this.line ? "row chosen" : "row";
    return el("div", { class: kind, "data-line": number }, link, el("span", { class: "t" }, text));
  }

  // Asks for the batches that these rows and their neighbours are in.
  need(first, last) {
    const from = Math.floor(Math.max(0, first - BATCH / 2) / BATCH);
    const to = Math.floor(Math.min(this.total - 1, last + BATCH / 2) / BATCH);
    if (this.known.size > 64 * BATCH) this.known.clear();
    for (let batch = from; batch <= to; batch++) {
      const numbers = [];
      for (let row = batch * BATCH; row < Math.min(this.total, (batch + 1) * BATCH); row++) {
        const number = this.number(row);
        if (!this.known.has(number) && !this.asked.has(number)) numbers.push(number);
      }
      for (const number of numbers) this.asked.add(number);
      if (numbers.length) this.ask(this.place, numbers);
    }
  }

  take({ id, log, rows }) {
    if (log !== this.place || id <= this.since) return;
    for (const [number, line] of rows) {
      this.asked.delete(number);
      this.known.set(number, line);
    }
    this.draw();
  }
}
"""
