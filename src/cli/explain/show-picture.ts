/** Pictures of explanations in a terminal: bars, coloured words, maps of half blocks; without colours shades and signs. */
import {
  type BarsPicture,
  boundOf,
  type MapPicture,
  mostBars,
  type Picture,
  shareOf,
  signedText,
  type ValuedText,
  type WordsPicture,
} from "../../explain/pictures/picture.ts";
import type { Output, Shaded } from "../output.ts";
import { cut, pad, widest } from "../text.ts";

/** Bars that are shown, and words without colours. */
const [mostShownBars, mostShownWords] = [12, 8];
/** Columns and pairs of rows of a map. */
const mostAcross = 48;

/** Colours of the 256 from a faint one on, of what speaks for a score and against it. */
const forScore = [230, 223, 216, 208, 202] as const;
const againstScore = [195, 153, 111, 75, 27] as const;
/** Those of a map around 0. */
const none = 254;

/** The colour of a share; `undefined` near 0. */
function colourOf(share: number): number | undefined {
  const level = Math.min(4, Math.floor(5 * Math.abs(share)));
  return Math.abs(share) < 0.05 ? undefined : (share > 0 ? forScore : againstScore)[level];
}

/** Black letters can be read on all these colours. */
const ink = 16;

function showBars(picture: BarsPicture, output: Output): void {
  const bars = mostBars(picture, mostShownBars);
  const bound = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const names = bars.map(({ name }) => name);
  const shown = bars.map((own) => own.shown);
  const numbers = bars.map(({ value }) => signedText(value));
  const half = 10;
  const room = output.columns - 2 * half - widest(numbers) - 8;
  const nameWidth = Math.min(widest(names), Math.max(8, Math.floor(room * (widest(shown) > 0 ? 0.55 : 1))));
  const shownWidth = Math.min(widest(shown), Math.max(6, room - nameWidth));
  for (const [i, { value }] of bars.entries()) {
    const length = Math.round(half * Math.abs(shareOf(value, bound)));
    const bar = value < 0 ? "▒" : "█";
    const left = value < 0 ? pad(bar.repeat(length), half, "right") : " ".repeat(half);
    const right = value < 0 ? " ".repeat(half) : pad(bar.repeat(length), half);
    output.shades([
      { text: `${pad(cut(names[i] as string, nameWidth), nameWidth)} ` },
      { text: shownWidth > 0 ? `${pad(cut(shown[i] as string, shownWidth), shownWidth)} ` : "" },
      { text: left, ink: againstScore[3] },
      { text: "│" },
      { text: right, ink: forScore[3] },
      { text: ` ${pad(numbers[i] as string, widest(numbers), "right")}` },
    ]);
  }
}

function showWords({ words }: WordsPicture, output: Output): void {
  const bound = boundOf(words.flatMap(({ value }) => value ?? []));
  let line: Shaded[] = [];
  let width = 0;
  const end = () => {
    if (line.length > 0) output.shades(line);
    [line, width] = [[], 0];
  };
  for (const { text, value = 0 } of words) {
    const own = text.replaceAll(/\s+/g, " ");
    const columns = widest([own]);
    if (width > 0 && width + columns > Math.min(output.columns, 100)) end();
    const ground = own.trim() === "" ? undefined : colourOf(shareOf(value, bound));
    line.push({ text: own, ...(ground !== undefined && { ground, ink }) });
    width += columns;
  }
  end();
  // Without colours the words that count are listed; with them the numbers of a few.
  const valued = words.filter((own): own is Required<ValuedText> => own.value !== undefined && own.text.trim() !== "");
  output.line();
  const bars = valued.map(({ text, value }) => ({ name: text.trim(), shown: "", value }));
  const sorted = [...bars].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, mostShownWords);
  showBars({ kind: "bars", bars: sorted }, output);
}

/** A map brought to so many columns at most, each place the mean of those that it stands for. */
function smaller({ values }: MapPicture): {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
} {
  const [height = 1, width = 1] = values.shape;
  const step = Math.max(1, Math.ceil(Math.max(width, height) / mostAcross));
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  return {
    rows,
    columns,
    at(row, column) {
      let [sum, count] = [0, 0];
      for (let y = row * step; y < Math.min(height, (row + 1) * step); y++)
        for (let x = column * step; x < Math.min(width, (column + 1) * step); x++) {
          sum += values.data[y * width + x] as number;
          count++;
        }
      return count === 0 ? 0 : sum / count;
    },
  };
}

/** Signs from faint to strong, for a score and against it. */
const [signsFor, signsAgainst] = ["·░▒▓█", "·-~=#"];

function showMap(picture: MapPicture, output: Output): void {
  const map = smaller(picture);
  const all = Array.from({ length: map.rows * map.columns }, (_, i) =>
    map.at(Math.floor(i / map.columns), i % map.columns),
  );
  const bound = boundOf(all);
  if (bound === 0) {
    output.line("0 everywhere");
    return;
  }
  const shareAt = (row: number, column: number) =>
    row < map.rows ? shareOf(all[row * map.columns + column] as number, bound) : 0;
  if (output.colours)
    for (let row = 0; row < map.rows; row += 2)
      output.shades(
        Array.from({ length: map.columns }, (_, column) => ({
          text: "▀",
          ink: colourOf(shareAt(row, column)) ?? none,
          ground: colourOf(shareAt(row + 1, column)) ?? none,
        })),
      );
  else
    for (let row = 0; row < map.rows; row += 2) {
      const cells = Array.from({ length: map.columns }, (_, column) => {
        const share = (shareAt(row, column) + shareAt(row + 1, column)) / 2;
        const level = Math.min(4, Math.floor(5 * Math.abs(share)));
        return Math.abs(share) < 0.05 ? " " : ((share > 0 ? signsFor : signsAgainst)[level] ?? " ");
      });
      output.line(cells.join("").trimEnd());
    }
  output.line();
  const size = signedText(bound);
  if (output.colours)
    output.shades([
      { text: `${signedText(-bound)} ` },
      ...[...againstScore].reverse().map((ground) => ({ text: "  ", ground })),
      { text: "  ", ground: none },
      ...forScore.map((ground) => ({ text: "  ", ground })),
      { text: ` ${size}` },
    ]);
  else output.line(`against it: ${signsAgainst} to ${signedText(-bound)}; for it: ${signsFor} to ${size}`);
}

/** Shows a picture in the columns of the terminal. */
export function showPicture(picture: Picture, output: Output): void {
  if (picture.kind === "bars") showBars(picture, output);
  else if (picture.kind === "words") showWords(picture, output);
  else showMap(picture, output);
}
