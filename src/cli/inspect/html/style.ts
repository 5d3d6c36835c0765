/** The look of a report's page, light and dark. */
export const style = `
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { margin: 0 0 4px; font-size: 28px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 10px; }
header p { margin: 2px 0; color: var(--soft); }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 16px; }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 10px 16px; }
.card b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; font-weight: 400; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); }
table:not(.layers) tr > th:first-child { white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
section { overflow-x: auto; }
.bar { width: 22%; padding: 0 10px 0 0; }
.bar div { height: 12px; border-radius: 2px; min-width: 1px; }
.stack { display: flex; height: 28px; border-radius: 4px; overflow: hidden; margin-top: 14px; }
.key { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; margin: 8px 0; font-size: 13px; }
.key i { display: inline-block; width: 11px; height: 11px; margin-right: 6px; border-radius: 2px; }
figure { margin: 0 0 14px; }
figcaption { color: var(--soft); font-size: 13px; margin-bottom: 4px; }
.strip { width: 100%; height: 90px; border-bottom: 1px solid var(--line); }
.strip .hit { fill: transparent; }
.strip g:hover .hit { fill: var(--line); }
svg[role=img] { max-width: 100%; height: auto; margin-top: 12px; border-radius: 6px; }
.strip[role=img] { height: 90px; margin: 0; border-radius: 0; }
.scroll { max-height: 560px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; padding: 0 12px; }
.layers { font-size: 13px; }
.layers thead th { position: sticky; top: 0; background: var(--ground); }
.tools { color: var(--soft); font-size: 13px; }
button { font: inherit; padding: 3px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); color: var(--ink); cursor: pointer; }
#explorer { height: 640px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; background: var(--raised); touch-action: none; cursor: grab; }
#explorer text { font: 12px system-ui, sans-serif; fill: #111827; pointer-events: none; user-select: none; }
#explorer .name { font-weight: 600; }
#explorer .box rect { fill: #ffffff; stroke: #9ca3af; }
#explorer .box.block { cursor: pointer; }
#explorer .block rect { fill: #e2e8f0; }
#explorer .convolution rect { fill: #cfe3ff; }
#explorer .dense rect { fill: #ffdfc2; }
#explorer .embedding rect { fill: #e3d4f7; }
#explorer .recurrent rect { fill: #ffd1dc; }
#explorer .attention rect { fill: #fff0b3; }
#explorer .normalization rect { fill: #d5f0d8; }
#explorer .frame { cursor: pointer; }
#explorer .frame rect { fill: #94a3b81a; stroke: #94a3b8; stroke-dasharray: 4 3; }
#explorer .frame text { fill: var(--soft); }
#explorer .edge { fill: none; stroke: #94a3b8; stroke-width: 1.3; }
#explorer .arrow { fill: #94a3b8; }
#explorer .arrow-lit { fill: #b45309; }
#explorer .counted rect { stroke: #b45309; stroke-width: 3; }
#explorer .passed rect { stroke: #b45309; stroke-width: 1.5; stroke-dasharray: 5 3; }
#explorer .unlit { opacity: 0.35; }
#explorer .edge.lit { stroke: #b45309; stroke-width: 3; }
.tools select { font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 3px 6px; max-width: 100%; }
@media (max-width: 640px) {
  main { padding: 16px 12px 40px; }
  table:not(.layers) tr > th:first-child { white-space: normal; }
  .bar { display: none; }
}
`;
