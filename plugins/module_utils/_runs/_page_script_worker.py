# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the page's script that unpacks and searches, beside the part that draws.

It runs in a worker that the page makes of its own text: a page of file:// may load nothing else.
"""

from __future__ import annotations

WORKER = r"""
// Everything in here runs in the worker, and knows nothing of what is around it.
function worker() {
  const CACHE = 256 << 20; // letters that are kept unpacked
  const AT_ONCE = 8; // pieces that are unpacked at once
  const CUT = 2000; // letters of a line that are drawn
  const WHOLE = 200000; // letters of the one line that is shown whole
  const MARKED = 20000; // letters of it in which hits are marked
  const logs = []; // of each log: packed pieces, and the first line of each
  const cache = new Map(); // the least recently used first
  const decoder = new TextDecoder();
  const channel = new MessageChannel();
  let cached = 0;
  let newest = 0;
  const paused = []; // of searches and of warm: each goes on when its own message comes
  channel.port1.onmessage = () => paused.shift()();

  // Lets messages in that came meanwhile.
  const pause = () => new Promise((resolve) => {
    paused.push(resolve);
    channel.port2.postMessage(0);
  });

  function bytes(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const plain = atob(text);
    const made = new Uint8Array(plain.length);
    for (let place = 0; place < plain.length; place++) made[place] = plain.charCodeAt(place);
    return made;
  }

  async function unpack(data) {
    const stream = new DecompressionStream("deflate");
    const writer = stream.writable.getWriter();
    writer.write(data).catch(() => {});
    writer.close().catch(() => {});
    const reader = stream.readable.getReader();
    const parts = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
    }
    const whole = new Uint8Array(size);
    size = 0;
    for (const part of parts) {
      whole.set(part, size);
      size += part.length;
    }
    return decoder.decode(whole);
  }

  // A piece, unpacked: its text, and where each of its lines begins (made when it is asked for).
  function piece(log, place) {
    const key = log + "/" + place;
    let found = cache.get(key);
    if (found) {
      cache.delete(key);
      cache.set(key, found);
      return found;
    }
    found = unpack(bytes(logs[log].packed[place])).then((text) => {
      cached += text.length;
      const [old, one] = cache.entries().next().value;
      if (cached > CACHE && old !== key) {
        cache.delete(old);
        one.then((gone) => (cached -= gone.text.length));
      }
      return { text, starts: null };
    });
    cache.set(key, found);
    return found;
  }

  function starts(one) {
    if (one.starts) return one.starts;
    const found = [0];
    const text = one.text;
    let place = text.indexOf("\n");
    while (place >= 0) {
      found.push(place + 1);
      place = text.indexOf("\n", place + 1);
    }
    one.starts = Uint32Array.from(found); // one more than lines: where the next one would begin
    return one.starts;
  }

  function pieceOf(log, line) {
    const firsts = logs[log].firsts;
    let low = 0;
    let high = firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (firsts[middle] <= line) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async function oneLine(log, number) {
    const place = pieceOf(log, number - 1);
    const one = await piece(log, place);
    const where = starts(one);
    const inside = number - 1 - logs[log].firsts[place];
    return one.text.slice(where[inside], Math.max(where[inside], where[inside + 1] - 1));
  }

  // Where a text matches what is looked for. Not the page: an expression can take for ever.
  function ranges(text, wanted) {
    const found = [];
    if (!wanted) return found;
    const pattern = new RegExp(wanted.source, wanted.flags + "g");
    for (let hit = pattern.exec(text); hit && found.length < 200; hit = pattern.exec(text)) {
      if (hit[0]) found.push([hit.index, hit.index + hit[0].length]);
      else pattern.lastIndex++;
    }
    return found;
  }

  async function lines({ log, numbers, wanted }) {
    const rows = [];
    for (const number of numbers) {
      const text = await oneLine(log, number);
      const shown = text.slice(0, CUT);
      rows.push([number, { text: shown, length: text.length, ranges: ranges(shown, wanted) }]);
    }
    return rows;
  }

  async function line({ log, number, wanted }) {
    const text = await oneLine(log, number);
    return { text: text.slice(0, WHOLE), length: text.length, ranges: ranges(text.slice(0, MARKED), wanted) };
  }

  // Lines of a piece that match, numbered from 1 in the log, into found. A line counts once.
  function inPiece(one, first, pattern, plain, found) {
    const { text } = one;
    if (plain) {
      pattern.lastIndex = 0;
      let line = 0;
      for (let hit = pattern.exec(text); hit; hit = pattern.exec(text)) {
        const where = starts(one);
        while (where[line + 1] <= hit.index) line++;
        found.push(first + line + 1);
        pattern.lastIndex = where[line + 1];
      }
      return;
    }
    const where = starts(one);
    for (let line = 0; line + 1 < where.length; line++) {
      if (pattern.test(text.slice(where[line], where[line + 1] - 1))) found.push(first + line + 1);
    }
  }

  async function search({ id, source, flags, plain }) {
    const began = performance.now();
    let rested = began;
    const pattern = new RegExp(source, plain ? flags + "g" : flags);
    for (let log = 0; log < logs.length; log++) {
      const { packed, firsts } = logs[log];
      for (let from = 0; from < packed.length; from += AT_ONCE) {
        const to = Math.min(packed.length, from + AT_ONCE);
        const wanted = [];
        for (let place = from; place < to; place++) wanted.push(piece(log, place));
        const texts = await Promise.all(wanted);
        const found = [];
        for (let place = from; place < to; place++) {
          if (newest !== id) return;
          inPiece(texts[place - from], firsts[place], pattern, plain, found);
        }
        if (performance.now() - rested > 50) {
          await pause();
          rested = performance.now();
          postMessage({ type: "alive", id });
        }
        if (newest !== id) return;
        if (found.length) {
          const numbers = Uint32Array.from(found);
          postMessage({ type: "hits", id, log, numbers }, [numbers.buffer]);
        }
      }
    }
    postMessage({ type: "found", id, took: performance.now() - began });
  }

  // Unpacks before it is asked to, so that the first search is as fast as the next.
  async function warm() {
    for (let log = 0; log < logs.length; log++) {
      for (let from = 0; from < logs[log].packed.length; from += AT_ONCE) {
        if (cached > CACHE / 2 || newest) return; // a search unpacks for itself
        const wanted = [];
        const to = Math.min(logs[log].packed.length, from + AT_ONCE);
        for (let place = from; place < to; place++) wanted.push(piece(log, place));
        for (const one of await Promise.all(wanted)) starts(one);
        await pause();
      }
    }
  }

  const tasks = {
    add({ log, packed, lines: counts }) {
      const firsts = [];
      let sum = 0;
      for (const lines of counts) {
        firsts.push(sum);
        sum += lines;
      }
      logs[log] = { packed, firsts };
    },
    warm,
    async lines(asked) {
      postMessage({ type: "lines", id: asked.id, log: asked.log, rows: await lines(asked) });
    },
    async line(asked) {
      postMessage({ type: "line", id: asked.id, line: await line(asked) });
    },
    search,
  };
  onmessage = async ({ data }) => {
    if (data.type === "search" || data.type === "stop") newest = data.id;
    if (data.type === "stop") return;
    try {
      await tasks[data.type](data);
    } catch (error) {
      postMessage({ type: "problem", id: data.id, said: String(error.message || error) });
    }
  };
}
"""
