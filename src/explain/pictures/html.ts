/** Pictures of explanations as HTML without a script, in the colours of the page that they stand in. */

import { escapeXml } from "../../draw/plot.ts";
import { encodePng, pngAddress } from "../../draw/png.ts";
import { heatImage } from "./heat-image.ts";
import {
  type BarsPicture,
  boundOf,
  type MapPicture,
  mostBars,
  type Picture,
  shareOf,
  signedText,
  type ValuedText,
  valuesOfPicture,
} from "./picture.ts";

/** Bars that are shown. */
const mostShown = 40;

/** What pictures look like; colours besides are those of `htmlPage`. */
export const pictureStyle = `
:root { --for: 213, 94, 0; --against: 0, 114, 178; }
@media (prefers-color-scheme: dark) { :root { --for: 230, 120, 30; --against: 60, 150, 215; } }
.maps { display: flex; flex-wrap: wrap; gap: 12px; }
.maps img { width: calc(50% - 6px); max-width: 320px; image-rendering: pixelated; border-radius: 4px; display: block; }
.words { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 17px; line-height: 1.9; margin: 8px 0; }
.words span { border-radius: 4px; padding: 2px 0; }
.legend { width: 280px; max-width: 100%; margin: 8px 0; font-size: 13px; font-variant-numeric: tabular-nums; }
.legend div { height: 10px; border-radius: 2px; background: linear-gradient(to right, rgb(var(--against)), var(--none, var(--ground)), rgb(var(--for))); border: 1px solid var(--line); }
.legend p { display: flex; justify-content: space-between; margin: 2px 0; }
.bars { width: 100%; max-width: 640px; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.bars th, .bars td { padding: 3px 8px 3px 0; text-align: left; font-weight: 400; border-bottom: 1px solid var(--line); overflow-wrap: break-word; vertical-align: top; }
.bars th { max-width: 160px; }
.bars .both { width: 40%; min-width: 90px; padding-left: 8px; background: linear-gradient(var(--soft), var(--soft)) center / 1px 100% no-repeat; }
.bars .both div { height: 14px; margin-top: 3px; border-radius: 2px; min-width: 1px; }
.bars .number { text-align: right; white-space: nowrap; padding-right: 0; }
`;

const legendOf = (bound: number, none = ""): string =>
  `<div class="legend"${none === "" ? "" : ` style="--none:${none}"`}><div></div><p><span>${signedText(-bound)}</span><span>0</span><span>${signedText(bound)}</span></p></div>`;

const colour = (share: number, most = 1): string =>
  `rgba(var(--${share < 0 ? "against" : "for"}),${(most * Math.abs(share)).toFixed(3)})`;

/** @param legend whether the colours are explained beside it */
function mapHtml(picture: MapPicture, legend: boolean): string {
  const images = [
    [picture.image, "the input"],
    [heatImage(picture), "what speaks for the score, and against it"],
  ] as const;
  const shown = images.map(([image, alt]) => `<img src="${pngAddress(encodePng(image))}" alt="${alt}">`);
  return `<div class="maps">${shown.join("")}</div>${legend ? legendOf(boundOf(picture.values.data), "#e5e7eb") : ""}`;
}

function wordsHtml(words: readonly ValuedText[], bound: number): string {
  const spans = words.map(({ text, value }) => {
    if (value === undefined || text.trim() === "") return escapeXml(text);
    const share = shareOf(value, bound);
    return `<span title="${signedText(value)}" style="background:${colour(share, 0.7)}">${escapeXml(text)}</span>`;
  });
  return `<p class="words">${spans.join("")}</p>`;
}

function barsHtml(picture: BarsPicture): string {
  const bars = mostBars(picture, mostShown);
  const bound = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const rows = bars.map(({ name, shown, value }) => {
    const share = shareOf(value, bound);
    const width = `width:${(50 * Math.abs(share)).toFixed(1)}%;margin-left:${(share < 0 ? 50 * (1 + share) : 50).toFixed(1)}%`;
    return `<tr><th>${escapeXml(name)}</th><td>${escapeXml(shown)}</td><td class="both"><div style="${width};background:${colour(Math.sign(value))}"></div></td><td class="number">${signedText(value)}</td></tr>`;
  });
  return `<table class="bars">${rows.join("")}</table>`;
}

/**
 * A picture as a part of a page with `pictureStyle`; texts are escaped.
 * @param options whether numbers explain the colours; default true
 * @example htmlPage({ title: "Why", style: pictureStyle, sections: [pictureHtml(picture)] });
 */
export function pictureHtml(picture: Picture, { legend = true }: { readonly legend?: boolean } = {}): string {
  if (picture.kind === "map") return mapHtml(picture, legend);
  if (picture.kind === "bars") return barsHtml(picture);
  const bound = boundOf(valuesOfPicture(picture));
  return wordsHtml(picture.words, bound) + (legend ? legendOf(bound) : "");
}
