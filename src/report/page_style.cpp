// SPDX-License-Identifier: Apache-2.0
// Colours are those of Okabe and Ito, which remain distinct for the colour-blind; nothing is said
// by colour alone.
#include "src/report/page_sections.hpp"

namespace relulift {

std::string page_style() {
  return R"css(
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2126; --soft: #5a636c; --rule: #d5dade;
  --panel: #f3f5f7; --blue: #0072b2; --orange: #c04f00; --green: #00795a; --pink: #b0568a;
  --sky: #3b93c4; --gold: #a87400; --yellow: #8a8200; --grey: #666; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181c; --ink: #e4e8eb; --soft: #a0aab3; --rule: #39424a; --panel: #1e242a;
    --blue: #56a8e0; --orange: #ee8a3c; --green: #2fb893; --pink: #dd8fbd; --sky: #8accf0;
    --gold: #e0ab35; --yellow: #d8d060; --grey: #aaa; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1.25rem 3rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.note, figcaption, caption { color: var(--soft); font-size: .875rem; }
.missing, .suggestion { background: var(--panel); border-left: 4px solid var(--gold);
  padding: .5rem .8rem; overflow-wrap: anywhere; }
.suggestion { border-color: var(--green); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .6rem;
  margin: 1rem 0; padding: 0; }
.tiles div { background: var(--panel); border-radius: .4rem; padding: .5rem .75rem; }
.tiles dt { color: var(--soft); font-size: .8rem; }
.tiles dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
figure { margin: .8rem 0 1.2rem; }
figcaption { margin-bottom: .4rem; }
.legend { display: block; color: var(--ink); font-size: .875rem; }
.legend svg { vertical-align: -2px; margin-left: .5rem; }
.key { display: inline-block; width: 1.6rem; margin: 0 .3rem 0 .7rem; vertical-align: .25em;
  border-top: 3px solid var(--blue); }
.key.bound { border-top: 3px dashed var(--orange); }
.key.program { border-top: 3px dotted var(--green); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; margin: .6rem 0; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--rule); text-align: left;
  vertical-align: top; }
thead th { border-bottom: 2px solid var(--rule); vertical-align: bottom; }
th { font-weight: 600; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.wide { min-width: 7rem; vertical-align: middle; }
td.names { min-width: 12rem; }
tr.kept th { white-space: nowrap; }
tr.kept th { color: var(--green); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
  gap: 0 2rem; align-items: start; }
.columns table { width: 100%; }
.columns td { overflow-wrap: anywhere; }
.columns th { font-weight: 400; color: var(--soft); width: 42%; }
.confusion td.n { min-width: 3rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.confusion .hit { background: color-mix(in srgb, var(--blue) var(--share), transparent); }
.confusion .miss { background: color-mix(in srgb, var(--orange) var(--share), transparent); }
svg text { fill: var(--ink); font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
svg text.tick { fill: var(--soft); font-size: 11px; }
svg text.label { font-size: 11px; }
.chart { padding: 10px 20px 0 66px; }
.chart > svg { display: block; }
.fixed { display: block; max-width: none; }
.square { display: block; width: 100%; max-width: 30.25rem; height: auto; }
.panels { display: flex; flex-wrap: wrap; gap: .5rem 1rem; }
.panel { max-width: 100%; height: auto; }
.panels .name { font-size: .875rem; margin: .2rem 0; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke-width: 2.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.line.objective { stroke: var(--blue); }
.line.bound { stroke: var(--orange); stroke-dasharray: 7 4; }
.line.program { stroke: var(--green); stroke-dasharray: 2 4; }
.line.gap { stroke: var(--green); }
.phase { fill: var(--soft); fill-opacity: .22; }
.phase.p1 { fill-opacity: .1; }
.diagonal { stroke: var(--soft); stroke-dasharray: 4 4; }
.dot { fill: var(--blue); fill-opacity: .55; }
.frame { fill: none; stroke: var(--soft); }
.ground, .rest { fill: var(--panel); }
.full { fill: var(--blue); }
.pos { fill: var(--orange); }
.neg { fill: var(--blue); }
.paper { fill: var(--paper); stroke: var(--ink); }
.t0 { fill: var(--blue); } .t1 { fill: var(--orange); } .t2 { fill: var(--green); }
.t3 { fill: var(--pink); } .t4 { fill: var(--sky); } .t5 { fill: var(--gold); }
.t6 { fill: var(--grey); } .t7 { fill: var(--yellow); }
.region { fill-opacity: .3; shape-rendering: crispEdges; }
.mark { stroke: var(--paper); stroke-width: 1; }
.mark.miss { stroke: var(--ink); stroke-width: 2; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .8rem; }
@page { margin: 15mm; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb;
    --panel: #f0f0f0; --blue: #0072b2; --orange: #c04f00; --green: #00795a; --pink: #b0568a;
    --sky: #3b93c4; --gold: #a87400; --yellow: #8a8200; --grey: #666; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  figure, tr, .tiles, .missing, .suggestion { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  .fixed { max-width: 100%; height: auto; }
  .tiles div { border: 1px solid var(--rule); }
}
)css";
}

}  // namespace relulift
