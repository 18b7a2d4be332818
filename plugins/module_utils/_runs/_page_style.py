# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's style: light and dark, wide and narrow, on a screen and on paper."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fff; --raised: #f5f6f8; --line: #d5d9e0; --text: #1a1d23; --quiet: #5a6270; --link: #0b57b8;
  --good: #12652f; --good-ground: #dff3e4; --bad: #a3121c; --bad-ground: #fde3e4;
  --warn: #7a4b00; --warn-ground: #fdf0d2; --hit: #ffe58a; --hit-text: #1a1d23;
  --good-bar: #3f9a5f; --bad-bar: #d2434c; --warn-bar: #c98a1b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1d2128; --line: #363c47; --text: #e7eaf0; --quiet: #a2abb9; --link: #86b7ff;
    --good: #8fe0a8; --good-ground: #17331f; --bad: #ff9ba1; --bad-ground: #43191d;
    --warn: #f6cf82; --warn-ground: #3c2d0c; --hit: #7a5c00; --hit-text: #fff;
    --good-bar: #3f9a5f; --bad-bar: #d2434c; --warn-bar: #c98a1b;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 8px; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; border-radius: 2px; }
main { max-width: 1500px; margin: 0 auto; padding: 0 24px 48px; }
main:focus { outline: none; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--ground); padding: 4px 8px; z-index: 9; }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
.quiet, .id { color: var(--quiet); }
.id { margin: 16px 0 4px; overflow-wrap: anywhere; }
h1 { margin: 0 0 12px; padding: 10px 14px; font-size: 20px; line-height: 1.4; border-radius: 6px;
  border-left: 6px solid var(--line); background: var(--raised); overflow-wrap: anywhere; }
h1.success { background: var(--good-ground); border-color: var(--good-bar); }
h1.failure, h1.killed { background: var(--bad-ground); border-color: var(--bad-bar); }
h1.cancelled, h1.other { background: var(--warn-ground); border-color: var(--warn-bar); }
h2 { font-size: 18px; margin: 28px 0 8px; overflow-wrap: anywhere; }
h3 { font-size: 16px; margin: 20px 0 6px; }
h4 { font-size: 15px; margin: 14px 0 4px; overflow-wrap: anywhere; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.subject { font-weight: 600; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 20px; margin: 8px 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
code, pre, .window, .lines { font: 13px/20px ui-monospace, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 8px 0; padding: 8px 12px;
  background: var(--raised);
  border: 1px solid var(--line); border-radius: 6px; max-height: 40em; overflow: auto; }
button, input[type=search] { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 4px; padding: 4px 10px; }
button { cursor: pointer; background: var(--raised); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; max-width: 100%; margin: 8px 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; min-width: 5em; unicode-bidi: isolate; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { background: var(--raised); white-space: nowrap; }
tbody th { font-weight: 400; }
.mark { display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 13px;
  border: 1px solid var(--line);
  white-space: nowrap; }
.mark.success, .sign.success { color: var(--good); }
.mark.failure, .mark.killed, .sign.failure, .sign.killed { color: var(--bad); }
.mark.cancelled, .mark.other, .sign.cancelled { color: var(--warn); }
.mark.success { background: var(--good-ground); border-color: transparent; }
.mark.failure, .mark.killed { background: var(--bad-ground); border-color: transparent; font-weight: 600; }
.mark.cancelled, .mark.other { background: var(--warn-ground); border-color: transparent;
  white-space: normal; }
.mark.none { color: var(--quiet); }

.lines { border: 1px solid var(--bad-bar); border-left-width: 6px; border-radius: 6px; padding: 6px 0;
  overflow-x: auto; background: var(--raised); }
.lines div { display: grid; grid-template-columns: 5em 1fr; gap: 12px; }
.lines a { text-align: right; color: var(--quiet); }
.lines .t { white-space: pre-wrap; overflow-wrap: anywhere; padding-right: 12px; unicode-bidi: isolate; }
.command { display: flex; gap: 8px; align-items: center; }
.command pre { flex: 1; margin: 0; }

.line { list-style: none; margin: 0; padding: 0; }
.line li { display: grid; grid-template-columns: 11em 9em 1fr 6em; gap: 0 12px; align-items: center;
  padding: 3px 8px;
  border-left: 4px solid transparent; }
.line li:nth-child(odd) { background: var(--raised); }
.line li.beside { border-left-color: var(--link); }
.line li.first { border-top-left-radius: 6px; margin-top: 4px; }
.line li.last { border-bottom-left-radius: 6px; margin-bottom: 4px; }
.bracket { display: inline-block; height: 1em; border-left: 4px solid var(--link); border-radius: 4px;
  vertical-align: -2px; }
.legend { color: var(--quiet); font-size: 13px; }
.name { overflow-wrap: anywhere; font-weight: 600; }
.track { position: relative; height: 20px; min-width: 0; }
.block { position: absolute; top: 3px; bottom: 3px; min-width: 4px; border-radius: 3px;
  background: var(--quiet); }
.block.success { background: var(--good-bar); }
.block.failure, .block.killed { background: var(--bad-bar); }
.block.killed { background: linear-gradient(90deg, var(--bad-bar), transparent); }
.block.cancelled { background: repeating-linear-gradient(45deg, var(--warn-bar) 0 6px, transparent 6px 10px);
  border: 1px solid var(--warn-bar); }
.took { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note, .under { color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
.line li:has(.note) .track { height: auto; }
.under { grid-column: 3 / -1; }
.axis { padding: 0 8px 0 12px; }
.axis .track { margin: 2px calc(6em + 12px) 0 calc(20em + 24px); height: 36px; }
.tick, .gap { position: absolute; font-size: 12px; color: var(--quiet); white-space: nowrap; }
.tick { border-left: 1px solid var(--line); padding-left: 3px; }
.tick.to { right: 0; border: 0 solid var(--line); border-right-width: 1px; padding: 0 3px 0 0; }
.tick.from { left: 0; }
.gap { top: 18px; border: 1px dashed var(--quiet); border-top: 0; height: 5px; }
.gap span { position: absolute; top: 2px; left: 50%; translate: -50%; }
.stage { border: 1px solid var(--line); border-radius: 6px; padding: 0 12px; margin: 6px 0;
  position: relative; }
.stage[open] { padding-bottom: 10px; }
summary { cursor: pointer; padding: 6px 0; }
.stage > summary { padding-right: 3em; }
.case { margin: 8px 0; }
.tolog { position: absolute; right: 12px; top: 6px; }
"""

LOGS = """
#viewer form { display: flex; flex-wrap: wrap; gap: 6px 8px; align-items: center; margin: 8px 0; }
#viewer input[type=search] { flex: 1 1 16em; max-width: 32em; }
#viewer [aria-invalid] { border-color: var(--bad-bar); }
#status { min-width: 15em; font-variant-numeric: tabular-nums; }
.boxes { display: flex; flex-wrap: wrap; gap: 4px 16px; }
.panes { display: grid; grid-template-columns: minmax(9em, 18em) 1fr; gap: 12px; }
.names { flex-flow: column nowrap; gap: 0; font-size: 14px; max-height: min(70vh, 760px); overflow-y: auto; }
.names a { display: flex; gap: 8px; padding: 3px 8px; border-radius: 4px; color: inherit;
  overflow-wrap: anywhere; }
.names a:hover { background: var(--raised); }
.names [aria-current] { background: var(--raised); font-weight: 600; box-shadow: inset 3px 0 var(--link); }
.badge { margin-left: auto; white-space: nowrap; color: var(--quiet); font-variant-numeric: tabular-nums; }
.pane { min-width: 0; }
.bar { display: flex; gap: 8px; align-items: center; margin-bottom: 6px; }
.which { flex: 1; margin: 0; min-width: 0; }
.cut { color: var(--warn); }
.window { max-height: min(70vh, 720px); min-height: 100px; overflow: auto; border: 1px solid var(--line);
  border-radius: 6px;
  background: var(--raised); overflow-anchor: none; }
.high { position: relative; overflow: clip; min-width: max-content; }
.rows { min-width: 100%; width: max-content; }
.row { display: flex; height: 20px; white-space: pre; unicode-bidi: isolate; tab-size: 8; }
.row a { position: sticky; left: 0; min-width: calc(var(--digits) + 20px); padding: 0 8px 0 12px;
  text-align: right;
  color: var(--quiet); background: var(--raised); user-select: none; }
.row .t { padding: 0 12px 0 4px; unicode-bidi: isolate; }
.row em { color: var(--quiet); }
.row.chosen, .row.chosen a { background: var(--warn-ground); }
mark { background: var(--hit); color: var(--hit-text); border-radius: 2px; }
#whole { max-height: 14em; }
@media (max-width: 760px) {
  main { padding: 0 12px 32px; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 6px; }
  .line li { grid-template-columns: 1fr auto auto; }
  .line .track { grid-column: 1 / -1; grid-row: 2; }
  .under { grid-column: 1 / -1; grid-row: 3; }
  .axis .track { margin-left: 0; margin-right: 0; }
  .tick:not(.from, .to) { display: none; }
  .panes { grid-template-columns: minmax(0, 1fr); }
  .names { max-height: 9em; border: 1px solid var(--line); border-radius: 6px; }
  .lines div { grid-template-columns: 3.5em 1fr; gap: 8px; }
  .command { flex-direction: column; align-items: stretch; }
  .window { max-height: 65vh; font-size: 12px; }
}
@media print {
  .logs, .skip, nav, button { display: none; }
  main { max-width: none; padding: 0; }
  pre, .wide { max-height: none; overflow: visible; }
  .block, h1, .mark { print-color-adjust: exact; }
}
"""
