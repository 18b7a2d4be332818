// Copyright (c) 2026 distrogate.ci maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// One bundle, and the way from an address to a view.

function verdictRow(one) {
  const { stage, result, at, message, explanation, url, signer, seconds } = one;
  const said = [message || explanation || "", url ? el("div", {}, outside(url)) : ""];
  const took = typeof seconds === "number" ? Math.round(seconds) + " s" : "";
  return cells(el("th", { scope: "row" }, stage), verdict(result, true), when(at), took, el("td", { class: "text" }, said), el("td", { title: signer }, code(short(signer))));
}

function saidRows(one) {
  const more = Object.entries(one).filter(([name]) => !["signer", "statement", "reason", "author", "at", "rule", "stage", "name", "expires"].includes(name));
  return [one.reason, one.author ? "— " + one.author : "", one.at ? when(one.at) : "", ...more.map(([name, value]) => name + ": " + (typeof value === "string" ? value : JSON.stringify(value)))].filter(Boolean).map((part) => [part, " "]);
}

function packageChanges(found) {
  const rows = [...found.changed, ...found.added.map((one) => ({ ...one, to: one.version, change: "added" })), ...found.removed.map((one) => ({ ...one, from: one.version, change: "removed" }))];
  if (!rows.length) return [];
  const row = (one) => cells(el("th", { scope: "row" }, one.name), one.architecture, one.from || "", one.to || "", one.change === "downgraded" ? mark("downgraded", "warn") : one.change);
  return [el("h4", {}, count(rows.length, "package")), table("Packages that differ", ["Package", "Architecture", "Before", "Now", "What"], rows, row)];
}

function otherChanges(what, found) {
  const rows = [...found.changed, ...found.added.map((one) => ({ ...one, to: one.sha256 })), ...found.removed.map((one) => ({ ...one, from: one.sha256 }))];
  if (!rows.length) return [];
  const row = (one) => cells(el("th", { scope: "row" }, one.name), one.type, code(short(one.from)), code(short(one.to)));
  return [el("h4", {}, count(rows.length, what)), table("Differing: " + what, ["Name", "Type", "Before", "Now"], rows, row)];
}

function commitRow(one) {
  return cells(el("th", { scope: "row" }, one.project), one.branch, el("td", { title: one.commit }, code(short(one.commit))), el("td", { class: "text" }, one.subject || ""), one.change || "");
}

const COMMIT = ["Project", "Branch", "Commit", "Subject", "Change"];

function sinceGood(since) {
  if (!since) return [el("h3", {}, "Since the last good one"), quiet("There is no good bundle of this pipeline before it.")];
  const { added, removed, moved } = since.commits;
  const parts = [
    added.length ? [el("h4", {}, count(added.length, "commit") + " that it had not"), table("Commits that came", COMMIT, added, commitRow)] : [],
    removed.length ? [el("h4", {}, count(removed.length, "commit") + " that this one has not"), table("Commits that went", COMMIT, removed, commitRow)] : [],
    moved.length ? [el("h4", {}, count(moved.length, "branch").replace("branchs", "branches") + " moved below"), table("Branches that moved", ["Project", "Before", "Now"], moved, (one) => cells(el("th", { scope: "row" }, one.project), code(short(one.from)), code(short(one.to))))] : [],
    packageChanges(since.packages),
    otherChanges("image", since.images),
    otherChanges("file", since.files),
  ];
  const nothing = parts.flat(9).length === 0;
  return [el("h3", {}, "Since the last good one, ", bundleLink(since.digest)), nothing ? quiet("Nothing differs.") : parts];
}

function list(title, items, build) {
  return items.length ? el("details", {}, el("summary", {}, title), build()) : null;
}

function contents(found) {
  const packageRow = ([kind, name, architecture, version, sha256]) => cells(el("th", { scope: "row" }, name), version, architecture, kind, el("td", { title: sha256 }, code(short(sha256))));
  const imageRow = ([type, name, sha256, address]) => cells(el("th", { scope: "row" }, name), type, el("td", { class: "text" }, code(address || sha256)));
  const fileRow = ([type, name, sha256, size]) => cells(el("th", { scope: "row" }, name), type, String(size), el("td", { title: sha256 }, code(short(sha256))));
  const bases = Object.entries(found.bases);
  return [
    el("h3", {}, "What is in it"),
    list(count(found.packages.length, "package"), found.packages, () => table("Packages", ["Package", "Version", "Architecture", "Kind", "sha256"], found.packages, packageRow)),
    list(count(found.images.length, "image"), found.images, () => table("Images", ["Name", "Type", "Address"], found.images, imageRow)),
    list(count(found.files.length, "other file"), found.files, () => table("Files", ["Name", "Type", "Bytes", "sha256"], found.files, fileRow)),
    el("h3", {}, "What it was built from"),
    found.commits.length ? table("Commits", COMMIT, found.commits, commitRow) : quiet("No commit is recorded."),
    list(count(bases.length, "branch").replace("branchs", "branches"), bases, () => table("Branches", ["Project", "Commit"], bases, ([project, commit]) => cells(el("th", { scope: "row" }, project), code(commit)))),
  ];
}

async function viewBundle(digest) {
  const bundle = byDigest.get(digest);
  if (!bundle) return [el("h2", {}, "Bundle " + short(digest)), quiet("It is not on this page, since it is older or of another archive.")];
  const page = await load("bundle-" + digest, bundle.file);
  const doubt = [...page.refused.map(([name, why]) => [name, why]), ...page.unknown_signers.map(([name, ids]) => [name, "signed by " + ids.map(short).join(", ") + ", whom nobody here knows"])];
  const built = page.built.map((one) => [one.builder && one.builder.id, " ", when(one.metadata && one.metadata.finishedOn)]);
  return [
    el("h2", {}, "Bundle ", short(digest)),
    facts([
      ["Digest", code("sha256:" + digest)],
      ["Sealed", bundle.sealed && when(bundle.sealed)],
      ["Pipeline", bundle.pipeline],
      ["Channels", bundle.names.map(named)],
      ["Held", page.holds.map((one) => el("div", {}, mark(one.name, "bad"), saidRows(one)))],
      ["Waivers", page.waivers.map((one) => el("div", {}, waiverMark(one), saidRows(one)))],
      ["Built by", built],
      ["Promoted", page.promotions.map((one) => el("div", {}, one.channel, " ", one.version || "", " ", when(one.at), one.by ? " by " + one.by : ""))],
    ]),
    el("h3", {}, "Verdicts"),
    page.verdicts.length ? table("Verdicts", ["Test", "Result", "At (UTC)", "Took", "Said", "Signer"], page.verdicts, verdictRow) : quiet("Nobody who is known has tested it."),
    doubt.length ? [el("h3", {}, "Not believed"), table("Statements that are not believed", ["Statement", "Why"], doubt, ([name, why]) => cells(name, el("td", { class: "text" }, why)))] : null,
    sinceGood(page.since_good),
    contents(page.contents),
  ];
}

// The view and what it shows, by the part after the #.
function address() {
  const [, view, ...rest] = location.hash.split("/");
  try {
    return [view, decodeURIComponent(rest.join("/"))];
  } catch {
    return [view, ""];
  }
}

let turn = 0;

async function show() {
  const mine = ++turn;
  const [view, argument] = address();
  const views = { bundle: viewBundle, bundles: viewBundles, channel: viewChannel, channels: viewChannels, search: viewSearch };
  let made;
  try {
    made = Object.hasOwn(views, view) ? await views[view](argument) : [...viewProblems(), ...viewChannels(), ...viewBundles()];
  } catch (error) {
    made = [el("h2", {}, "This cannot be shown"), quiet(String(error.message || error))];
  }
  if (mine !== turn) return;
  const main = document.getElementById("content");
  main.replaceChildren(...made.flat(9).filter((part) => part !== null && part !== ""));
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === "#/" + view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const name = { bundle: "bundle " + short(argument), channel: argument, search: argument }[view] || view;
  document.title = (name ? name + " · " : "") + overview.title;
  document.documentElement.dataset.shown = location.hash || "#/";
}

function start() {
  overview = loaded.get("history");
  byDigest = new Map(overview.bundles.map((bundle) => [bundle.digest, bundle]));
  const search = document.getElementById("search");
  let timer = 0;
  const look = () => location.replace("#/search/" + encodeURIComponent(search.value));
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 150);
  });
  search.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    look();
    document.getElementById("content").focus();
  });
  document.addEventListener("keydown", (event) => {
    const writing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName);
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.select();
    }
  });
  window.addEventListener("hashchange", async () => {
    const searching = location.hash.startsWith("#/search/");
    if (!searching) search.value = "";
    await show();
    if (!searching) {
      document.getElementById("content").focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  });
  const [view, argument] = address();
  if (view === "search") search.value = argument;
  show();
}
