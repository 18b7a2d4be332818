# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the page's script that begins: with the address, the keys, and the button that copies."""

from __future__ import annotations

START = r"""
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
    const told = "This browser cannot unpack the logs. They lie beside this page, in the folder logs.";
    place.append(el("p", { class: "mark other" }, told));
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
