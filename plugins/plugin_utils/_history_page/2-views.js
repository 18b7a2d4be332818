// Copyright (c) 2026 distrogate.ci maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// One view for each address after the #.

let overview = null;
let byDigest = new Map();
const chosen = { pipeline: "", state: "" };

function change(one) {
  const name = [one.project, one.branch && one.branch !== "main" && one.branch !== "master" ? "(" + one.branch + ")" : ""];
  return el("div", { title: one.commit }, name.join(" ").trim(), ": ", one.subject || (one.change ? "change " + one.change : code(short(one.commit))));
}

function sums(since) {
  if (!since) return "";
  const parts = [];
  for (const [part, words] of [["packages", ["added", "removed", "changed"]], ["images", ["added", "removed", "changed"]], ["commits", ["added"]]]) {
    const signs = { added: "+", removed: "−", changed: "±" };
    const said = words.filter((word) => since[part][word]).map((word) => signs[word] + since[part][word]);
    const many = words.reduce((sum, word) => sum + since[part][word], 0);
    if (said.length) parts.push(said.join(" ") + " " + (many === 1 ? part.slice(0, -1) : part));
  }
  return parts.join(", ") || "nothing";
}

function bundleRow(bundle) {
  return el(
    "tr",
    {},
    el("td", {}, when(bundle.sealed)),
    el("th", { scope: "row" }, bundleLink(bundle.digest)),
    el("td", {}, bundle.pipeline),
    overview.stages.map((stage) => verdict(Object.hasOwn(bundle.verdicts, stage) ? bundle.verdicts[stage] : "")),
    el("td", {}, bundle.names.map(named), bundle.holds.map((hold) => mark("held: " + hold.name, "bad one", hold.reason)), bundle.waivers.filter((one) => !expired(one)).map((one) => waiverMark(one, true))),
    el("td", { class: "text" }, bundle.changes.slice(-3).reverse().map(change), bundle.changes.length > 3 ? "and " + (bundle.changes.length - 3) + " more" : ""),
    el("td", { class: "text" }, sums(bundle.since_good)),
  );
}

function grid(label, bundles) {
  if (!bundles.length) return quiet("There is none.");
  const heads = ["Sealed (UTC)", "Bundle", "Pipeline", ...overview.stages.map((stage) => ({ stage })), "State", "Changes", "Since the last good one"];
  return table(label, heads, bundles, bundleRow);
}

function choice(label, name, options) {
  const select = el("select", { id: "choose-" + name }, options.map(([value, text]) => el("option", { value, selected: chosen[name] === value ? "" : null }, text)));
  select.addEventListener("change", () => {
    chosen[name] = select.value;
    show();
    document.getElementById("choose-" + name).focus();
  });
  return el("span", { class: "pair" }, el("label", { for: "choose-" + name }, label), select);
}

function viewBundles() {
  const pipelines = [...new Set(overview.bundles.map((bundle) => bundle.pipeline))].sort();
  const failed = (bundle) => Object.values(bundle.verdicts).includes("FAILED");
  const states = { good: (one) => one.good, failed, held: (one) => one.holds.length, waived: (one) => one.waivers.some((waiver) => !expired(waiver)), promoted: (one) => one.names.length };
  const found = overview.bundles.filter((one) => (!chosen.pipeline || one.pipeline === chosen.pipeline) && (!chosen.state || states[chosen.state](one)));
  const bar = el("div", { class: "bar" }, choice("Pipeline", "pipeline", [["", "all"], ...pipelines.map((one) => [one, one || "unknown"])]), choice("Show", "state", [["", "all"], ["good", "good ones"], ["failed", "failed ones"], ["held", "held ones"], ["waived", "with a waiver"], ["promoted", "that a channel has"]]), el("span", { class: "quiet" }, count(found.length, "bundle") + (overview.older ? ", and " + overview.older + " older ones that are not on this page" : "")));
  return [el("h2", {}, "Bundles"), bar, grid("Bundles and their verdicts, the newest first", found)];
}

function viewChannels() {
  const row = (channel) => {
    const now = channel.history[0] || {};
    return cells(el("th", { scope: "row" }, channelLink(channel.name)), now.version || "", bundleLink(now.digest), when(now.at), now.by || "", bundleLink(now.from), String(channel.history.length));
  };
  const heads = ["Channel", "Version", "Bundle", "Since (UTC)", "By", "Before", "Promotions"];
  return [el("h2", {}, "Channels"), overview.channels.length ? table("Channels", heads, overview.channels, row) : quiet("Nothing was promoted yet.")];
}

function viewProblems() {
  if (!overview.problems.length) return [];
  const row = (one) => cells(code(short(one.digest.slice(7))), el("td", { class: "text" }, one.message));
  return [el("h2", {}, "Cannot be read"), table("Bundles that cannot be read", ["Bundle", "Why"], overview.problems, row)];
}

function viewChannel(name) {
  const channel = overview.channels.find((one) => one.name === name);
  if (!channel) return [el("h2", {}, "No channel " + name)];
  const row = (one) => {
    const bundle = byDigest.get(one.digest);
    return cells(String(one.serial ?? ""), when(one.at), one.version || "", bundleLink(one.digest), one.state === "rolled_back" ? mark("rolled back", "warn") : "", one.by || "", bundleLink(one.from), el("td", { class: "text" }, bundle ? bundle.changes.slice(-3).reverse().map(change) : ""));
  };
  return [el("h2", {}, "Channel " + name), table("What " + name + " had, the newest first", ["No.", "At (UTC)", "Version", "Bundle", "How", "By", "Before", "Changes"], channel.history, row)];
}

function versionHits(hits, position, shown) {
  const bundle = overview.bundles[position];
  if (bundle && !hits.has(bundle.digest)) hits.set(bundle.digest, shown);
}

// A word is looked for in what each bundle says of itself, then in the packages, images and files.
function find(words, data) {
  const wanted = words.trim().toLowerCase().replace(/^sha256:/, "");
  const hits = new Map();
  for (const bundle of overview.bundles) {
    const said = [bundle.pipeline, ...bundle.names, ...bundle.changes.flatMap((one) => [one.project, one.subject, one.change, one.branch])];
    const starts = [bundle.digest, ...bundle.changes.map((one) => one.commit)];
    if (starts.some((one) => one && one.startsWith(wanted)) || said.some((one) => one && one.toLowerCase().includes(wanted))) hits.set(bundle.digest, "");
  }
  const [name, version] = wanted.split("=", 2);
  const digest = /^[0-9a-f]{7,64}$/.test(wanted) ? wanted.slice(0, 16) : null;
  for (const [part, known] of Object.entries(data)) {
    for (const [one, versions] of Object.entries(known)) {
      const exact = version !== undefined && part === "packages";
      const here = exact ? one.toLowerCase() === name : one.toLowerCase().includes(wanted);
      if (!here && !(digest && part !== "packages")) continue;
      for (const [which, positions] of Object.entries(versions)) {
        if (exact ? !which.toLowerCase().startsWith(version) : !here && !which.startsWith(digest)) continue;
        for (const position of positions) versionHits(hits, position, one + (part === "packages" ? "=" : " ") + which);
      }
    }
  }
  return hits;
}

async function viewSearch(words) {
  if (!words.trim()) return [...viewChannels(), ...viewBundles()];
  const hits = find(words, await load("search", overview.search));
  const bundles = overview.bundles.filter((bundle) => hits.has(bundle.digest));
  document.getElementById("said").textContent = count(bundles.length, "bundle") + " found";
  const things = [...new Set([...hits.values()].filter(Boolean))];
  const seen = things.length ? quiet("Found: " + things.slice(0, 5).join(", ") + (things.length > 5 ? " and " + (things.length - 5) + " more." : ".")) : null;
  return [el("h2", {}, count(bundles.length, "bundle") + ' with "' + words + '"'), seen, grid("Bundles that were found", bundles)];
}
