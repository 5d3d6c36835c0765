/** Pictures of explanations as SVG text, white behind them. */

import { escapeXml } from "../../draw/plot.ts";
import { encodePng, pngAddress } from "../../draw/png.ts";
import { heatImage, scaleFor } from "./heat-image.ts";
import {
  type BarsPicture,
  boundOf,
  type MapPicture,
  mostBars,
  type Picture,
  shareOf,
  signedText,
  speaksAgainst,
  speaksFor,
  type ValuedText,
} from "./picture.ts";

const margin = 16;
const mostShownBars = 30;
/** Pixels that a letter takes, near enough, in the proportional and in the fixed font. */
const [letter, column] = [7, 8.4];

/** Characters that are as wide as two letters: of East Asian scripts, and most signs beyond them. */
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|[\u{1f300}-\u{1faff}]/u;
const columnsOf = (text: string): number => [...text].reduce((sum, own) => sum + (wide.test(own) ? 2 : 1), 0);

const rgb = (color: readonly number[]): string => `rgb(${color.join(",")})`;
const colourOf = (value: number): string => rgb(value < 0 ? speaksAgainst : speaksFor);

const framed = (title: string, width: number, height: number, content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#111827"><title>${escapeXml(title)}</title><rect width="${width}" height="${height}" fill="#ffffff"/><text x="${margin}" y="24" font-size="15">${escapeXml(title)}</text>${content}</svg>\n`;

/** The colours from the lowest value to the highest with their numbers. */
function legend(x: number, y: number, width: number, bound: number): string {
  const stops = [speaksAgainst, [255, 255, 255], speaksFor].map(
    (color, i) => `<stop offset="${50 * i}%" stop-color="${rgb(color)}"/>`,
  );
  const numbers = [
    [-bound, 0, "start"],
    [0, width / 2, "middle"],
    [bound, width, "end"],
  ] as const;
  const texts = numbers.map(
    ([value, at, anchor]) => `<text x="${x + at}" y="${y + 26}" text-anchor="${anchor}">${signedText(value)}</text>`,
  );
  return `<defs><linearGradient id="legend">${stops.join("")}</linearGradient></defs><rect x="${x}" y="${y}" width="${width}" height="10" fill="url(#legend)" stroke="#9ca3af"/>${texts.join("")}`;
}

function mapSvg(title: string, picture: MapPicture): string {
  const scale = scaleFor(picture.image, 280);
  const [height = 1, width = 1] = picture.values.shape.map((extent) => extent * scale);
  const legendWidth = Math.max(200, width);
  const images = [picture.image, heatImage(picture)].map(
    (image, i) =>
      `<image x="${margin + i * (width + margin)}" y="40" width="${width}" height="${height}" preserveAspectRatio="none" style="image-rendering: pixelated" href="${pngAddress(encodePng(image))}"/>`,
  );
  const whole = Math.max(2 * width + 3 * margin, width + 2 * margin + legendWidth + margin);
  const x = 2 * margin + width;
  return framed(
    title,
    whole,
    height + 96,
    images.join("") + legend(x, height + 54, legendWidth, boundOf(picture.values.data)),
  );
}

function wordsSvg(title: string, words: readonly ValuedText[]): string {
  const room = 76;
  const bound = boundOf(words.flatMap(({ value }) => value ?? []));
  let [row, at] = [0, 0];
  const placed = words.map(({ text, value = 0 }) => {
    const own = text.replaceAll(/\s+/g, " ");
    const width = columnsOf(own);
    if (at > 0 && at + width > room) [row, at] = [row + 1, 0];
    const [x, y] = [margin + column * at, 44 + 26 * row];
    at += width;
    const share = shareOf(value, bound);
    const box =
      own.trim() === "" || share === 0
        ? ""
        : `<rect x="${x.toFixed(1)}" y="${y}" width="${(column * width).toFixed(1)}" height="22" rx="3" fill="${colourOf(share)}" fill-opacity="${(0.75 * Math.abs(share)).toFixed(3)}"/>`;
    return `<g>${box}<text x="${x.toFixed(1)}" y="${y + 16}" xml:space="preserve" textLength="${(column * width).toFixed(1)}" lengthAdjust="spacingAndGlyphs">${escapeXml(own)}</text><title>${signedText(value)}</title></g>`;
  });
  const height = 44 + 26 * (row + 1);
  return framed(
    title,
    2 * margin + column * room,
    height + 48,
    `<g font-family="monospace" font-size="14">${placed.join("")}</g>${legend(margin, height + 8, 260, bound)}`,
  );
}

function barsSvg(title: string, picture: BarsPicture): string {
  const shown = mostBars(picture, mostShownBars);
  const names = shown.map(({ name, shown: cell }) => {
    const text = cell === "" ? name : `${name}: ${cell}`;
    return text.length > 44 ? `${text.slice(0, 43)}…` : text;
  });
  const left = margin + letter * Math.max(...names.map(columnsOf), 1) + 10;
  const half = 140;
  const bound = Math.max(...shown.map(({ value }) => Math.abs(value)), 0);
  const rows = shown.map(({ value }, i) => {
    const y = 42 + 24 * i;
    const length = half * Math.abs(shareOf(value, bound));
    const x = left + half - (value < 0 ? length : 0);
    return `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escapeXml(names[i] as string)}</text><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(1, length).toFixed(1)}" height="18" fill="${colourOf(value)}"/><text x="${left + 2 * half + 10}" y="${y + 14}">${signedText(value)}</text>`;
  });
  const axis = `<line x1="${left + half}" x2="${left + half}" y1="38" y2="${42 + 24 * shown.length}" stroke="#374151"/>`;
  return framed(title, left + 2 * half + 90, 54 + 24 * shown.length, rows.join("") + axis);
}

/**
 * A picture as SVG text.
 * @param title text above it
 * @example pictureSvg("Why setosa", { kind: "bars", bars: [{ name: "petal length", shown: "1.4", value: 2.1 }] });
 */
export function pictureSvg(title: string, picture: Picture): string {
  if (picture.kind === "map") return mapSvg(title, picture);
  return picture.kind === "words" ? wordsSvg(title, picture.words) : barsSvg(title, picture);
}
