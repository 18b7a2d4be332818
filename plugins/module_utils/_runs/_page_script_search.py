# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the page's script that knows what was looked for, and what was found where."""

from __future__ import annotations

SEARCH = r"""
const PATIENCE = 5000; // milliseconds without a sign before a search is given up

function plainPattern(words) {
  return words.replace(/[.*+?^${}()|[\]\\\/-]/g, (one) => "\\" + one);
}

// Growing lists of line numbers, one for each log.
class Found {
  constructor(many) {
    this.parts = Array.from({ length: many }, () => []);
    this.counts = new Array(many).fill(0);
    this.joined = new Map();
    this.total = 0;
  }

  add(log, numbers) {
    this.parts[log].push(numbers);
    this.counts[log] += numbers.length;
    this.total += numbers.length;
    this.joined.delete(log);
  }

  in(log) {
    if (!this.joined.has(log)) {
      const whole = new Uint32Array(this.counts[log]);
      let place = 0;
      for (const part of this.parts[log]) {
        whole.set(part, place);
        place += part.length;
      }
      this.joined.set(log, whole);
    }
    return this.joined.get(log);
  }

  // The hit with this number of all, as [log, line].
  at(place) {
    for (let log = 0; log < this.counts.length; log++) {
      if (place < this.counts[log]) return [log, this.in(log)[place]];
      place -= this.counts[log];
    }
    return null;
  }

  // The number of the first hit at or after a line, of all.
  after(log, line) {
    let before = 0;
    for (let place = 0; place < log; place++) before += this.counts[place];
    const lines = this.in(log);
    let low = 0;
    let high = lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle] < line) low = middle + 1;
      else high = middle;
    }
    return before + low;
  }
}

// The worker, and a new one in its place when an expression keeps it busy for ever.
class Helper {
  constructor(logs, told) {
    this.logs = logs;
    this.told = told;
    this.number = 0;
    this.timer = 0;
    this.start();
  }

  start() {
    const text = "(" + worker.toString() + ")()";
    this.worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = ({ message }) => this.told({ type: "problem", id: 0, said: String(message) });
    for (const [log, one] of this.logs.entries()) {
      this.send("add", { log, packed: one.packed(), lines: one.pieces });
    }
  }

  send(type, more) {
    const id = ++this.number;
    this.worker.postMessage({ type, id, ...more });
    return id;
  }

  search(what) {
    const id = this.send("search", what);
    this.wait(id);
    return id;
  }

  wait(id) {
    clearTimeout(this.timer);
    this.searching = id;
    this.timer = setTimeout(() => {
      this.worker.terminate();
      this.start();
      this.told({ type: "gone", id, said: "This expression takes too long: it was given up." });
    }, PATIENCE);
  }

  stop() {
    clearTimeout(this.timer);
    this.searching = 0;
    this.send("stop");
  }

  heard(data) {
    if (data.id === this.searching) {
      if (data.type === "found" || data.type === "problem") clearTimeout(this.timer);
      else this.wait(data.id);
    }
    this.told(data);
  }
}
"""
