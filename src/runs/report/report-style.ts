/** The look of a run's report, light and dark, on a telephone and on a desk. */
export const reportStyle = `
:root { --right: 0, 114, 178; --wrong: 213, 94, 0; }
@media (prefers-color-scheme: dark) { svg[role=img] { filter: invert(0.9) hue-rotate(180deg); } }
main { max-width: 1000px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { margin: 0 0 4px; font-size: 28px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 34px 0 10px; }
h3 { font-size: 15px; margin: 16px 0 6px; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: 13px; }
.verdict { padding: 10px 14px; border-left: 4px solid rgb(var(--right)); background: var(--raised); font-size: 16px; }
.cards { display: flex; flex-wrap: wrap; gap: 10px; margin: 14px 0; }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px; }
.card b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.card span { color: var(--soft); font-size: 13px; }
section { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.wide { width: 100%; }
th, td { text-align: left; font-weight: 400; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; }
thead th { color: var(--soft); }
.n { text-align: right; white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 14px; align-items: start; }
svg[role=img] { width: 100%; max-width: 560px; height: auto; border-radius: 6px; border: 1px solid #d1d5db; }
.scroll { max-height: 380px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; padding: 0 12px; }
.scroll thead th { position: sticky; top: 0; background: var(--ground); }
.matrix { font-size: 13px; }
.matrix th, .matrix td { border: 0; padding: 4px 8px; white-space: nowrap; }
.matrix td { text-align: center; min-width: 34px; border: 1px solid var(--ground); }
.matrix thead th { text-align: center; vertical-align: bottom; }
.matrix th { max-width: 160px; overflow: hidden; text-overflow: ellipsis; }
.bar { width: 45%; min-width: 80px; }
.bar div { height: 12px; border-radius: 2px; min-width: 1px; background: rgb(var(--right)); }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 220px), 1fr)); gap: 12px; }
.mistakes.images { grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); }
.mistake { border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; min-width: 0; font-size: 14px; }
.mistake img { display: block; width: 112px; max-width: 100%; image-rendering: pixelated; margin: 0 0 8px; border-radius: 4px; }
.mistake table { font-size: 13px; width: 100%; margin-top: 6px; }
.mistake th { color: var(--soft); overflow-wrap: break-word; max-width: 110px; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; overflow-x: auto; margin: 4px 0 2px; font-size: 13px; }
`;

/** Within the cards of mistakes, what speaks for a prediction; after `pictureStyle`. */
export const explanationStyle = `
.mistakes .words { font-size: 14px; line-height: 1.7; }
.mistakes .bars { font-size: 13px; }
.mistakes .bars .both { width: 30%; min-width: 50px; }
.mistakes.images { grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); }
.mistakes.images .mistake img { display: inline-block; width: calc(50% - 6px); max-width: 112px; margin-right: 6px; }
.for { background: rgba(var(--for), 0.5); border-radius: 3px; padding: 1px 3px; }
.against { background: rgba(var(--against), 0.5); border-radius: 3px; padding: 1px 3px; }
`;
