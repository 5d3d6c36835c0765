/** What compression did, as tables for a terminal. */
import type { ModelComparison, ModelFigures } from "../../compress/measure/compare-models.ts";
import type { QuantizedModel } from "../../compress/quantize/quantized-model.ts";
import type { LayerSensitivity } from "../../compress/quantize/sensitivity.ts";
import { resultText } from "../../core/number-text.ts";
import { amount, bytes, longCount } from "../inspect/units.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";

/** How many times one number is the other, in words for less and more. */
function change(before: number, after: number, less: string, more: string): string {
  if (before === after) return "the same";
  const ratio = Math.max(before, after) / Math.min(before, after);
  return Number.isFinite(ratio) ? `${ratio.toFixed(2)} times ${after < before ? less : more}` : "-";
}

const milliseconds = (value: number): string => `${value.toPrecision(3)} ms`;

const countWords = ["fewer", "more"] as const;
const timeWords = ["faster", "slower"] as const;

/** Both models side by side. */
export function showComparison({ before, after, batch, difference }: ModelComparison, output: Output): void {
  const row = (
    name: string,
    of: (figures: ModelFigures) => number,
    text: (value: number) => string,
    words: readonly [string, string],
  ) => [name, text(of(before)), text(of(after)), change(of(before), of(after), ...words)];
  const results = Object.keys(before.results ?? {}).filter((name) => name !== "confusionMatrix");
  showTable(
    [
      { head: "" },
      { head: "Before", align: "right" },
      { head: "After", align: "right" },
      { head: "Change", align: "right" },
    ],
    [
      row("parameters", (own) => own.parameters, longCount, countWords),
      row("of them not 0", (own) => own.nonzero, longCount, countWords),
      row("ONNX file", (own) => own.bytes, bytes, ["smaller", "larger"]),
      row("multiply-adds of a sample", (own) => own.macs, amount, countWords),
      row("a batch of 1", (own) => own.milliseconds.one, milliseconds, timeWords),
      row(`a batch of ${batch}`, (own) => own.milliseconds.batch, milliseconds, timeWords),
      ...results.map((name) => {
        const [a, b] = [before.results?.[name] ?? Number.NaN, after.results?.[name] ?? Number.NaN];
        return [name, resultText(name, a), resultText(name, b), changeText(name, b - a)];
      }),
    ],
    output,
  );
  output.line();
  const same =
    difference.sameChoice === undefined ? "" : `, ${(100 * difference.sameChoice).toFixed(1)} % of choices the same`;
  output.prose(
    `Outputs of ${difference.samples} samples differ by ${difference.largest.toPrecision(3)} at most, ${(100 * difference.relative).toPrecision(3)} % of their size${same}.`,
  );
}

/** A difference of results with its sign. */
const changeText = (name: string, change: number): string =>
  `${change < 0 ? "-" : "+"}${resultText(name, Math.abs(change))}`;

/** What was rounded, by layer. */
export function showLayers({ layers, kept, notes }: QuantizedModel, output: Output): void {
  showTable(
    [
      { head: "Layer" },
      { head: "Kind" },
      { head: "Elements", align: "right" },
      { head: "Bits", align: "right" },
      { head: "Error of the weight", align: "right" },
    ],
    layers.map(({ name, kind, elements, bits, error }) => [
      name,
      kind,
      longCount(elements),
      String(bits),
      `${(100 * error).toPrecision(2)} %`,
    ]),
    output,
  );
  output.line();
  if (kept.length > 0) output.prose(`In float32 as before: ${kept.join(", ")}.`);
  for (const note of notes) output.warn(`Note: ${note}.`, "caution");
}

/** The layers by how much each alone changes the outputs. */
export function showSensitivity(layers: readonly LayerSensitivity[], output: Output): void {
  showTable(
    [
      { head: "Layer, quantized alone" },
      { head: "Elements", align: "right" },
      { head: "Outputs move by", align: "right" },
    ],
    layers.map(({ name, elements, difference }) => [
      name,
      longCount(elements),
      `${(100 * difference).toPrecision(3)} %`,
    ]),
    output,
  );
}
