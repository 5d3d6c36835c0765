/** `sardonyx embed`: texts, images or sounds as vectors, by a run or a pretrained model. */
import { existsSync } from "node:fs";
import { FileError, OptionError } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import type { Tensor } from "../../core/tensor.ts";
import { loadRecords } from "../../data/index.node.ts";
import { textFieldOf } from "../../data/tables/record-fields.ts";
import { embedderOf } from "../../runs/open/embedder.node.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { highest } from "../../train/metrics/ranking.ts";
import { defineCommand, text } from "../command.ts";
import { encryptToOption, writeOutput } from "../encryption.ts";
import { openOptions } from "../open-run.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import { cut } from "../text.ts";
import { showDownloads } from "../train/progress.ts";

/** Texts that are compared with each other in the terminal. */
const compared = 8;

export const command = defineCommand({
  arguments: [
    { name: "RUN", description: "folder of a run, or a pretrained model of texts or images, as finetune takes it" },
    {
      name: "INPUT",
      description: "texts; of a model of images PNG or JPEG files, of a run of sounds WAV files",
      variadic: true,
      optional: true,
    },
  ],
  options: {
    data: text("FILE", "in place of INPUT: records with a field text, or a .txt with one text on each line"),
    field: text("NAME", "the field of --data that holds the texts, or paths of files (default text)"),
    out: text("FILE", "write the vectors: .jsonl, or .safetensors with one matrix"),
    at: text("LAYER", "the layer whose output is taken, pooled and divided by its length"),
    encryptTo: encryptToOption,
    ...openOptions,
  },
  examples: [
    ["sardonyx embed runs/finetune 'How do I pay?' 'Where is the bill?'", "vectors, and how alike they are"],
    ["sardonyx embed ./all-MiniLM-L6-v2 --data questions.csv --out questions.safetensors", "a pretrained model"],
    ["sardonyx embed runs/finetune --data questions.jsonl --field question --json", "vectors as JSON lines"],
  ],
  async run({ arguments: [name = "", ...given], options, output }) {
    const { data, field, out, at, encryptTo, best, nonFinite, recipe } = options;
    const ending = out === undefined ? undefined : endingOf(out);
    if (ending !== undefined && ending !== ".jsonl" && ending !== ".safetensors")
      throw new OptionError(`--out is ${out}; expected a name that ends with .jsonl or .safetensors: rename it`);
    if ((data === undefined) === (given.length === 0))
      throw new OptionError(
        data === undefined
          ? "there is nothing to embed; pass texts behind the run, or a file of them: --data FILE"
          : "both texts and --data are given; pass one of them",
      );
    if (field !== undefined && data === undefined) throw new OptionError("--field names a field of --data; pass both");
    const inputs = data === undefined ? given : await inputsOf(data, field);
    const embedder = await embedderOf(name, { best, nonFinite, at }, { recipe, onDownload: showDownloads(output) });
    const { vectors, notes } = await embedder.embed(inputs);
    await embedder.release();
    for (const note of notes) output.warn(note);
    const rows = rowsOf(vectors);
    for (const [i, vector] of rows.entries()) output.record("embedding", { input: inputs[i], vector });
    output.line(
      `${plural(inputs.length, embedder.reads.slice(0, -1))} as vectors of ${count(vectors.shape[1] ?? 0)} numbers: ${embedder.source}`,
    );
    if (out === undefined) showVectors(inputs, rows, output);
    if (inputs.length > 1) showLikeness(inputs, rows, output);
    if (out === undefined) return;
    const content = ending === ".jsonl" ? jsonLines(inputs, rows) : matrixFile(inputs, vectors);
    await writeOutput(out, content, { encryptTo, of: existsSync(name) ? name : undefined }, output);
    output.record("file", { path: out });
    output.line(`written to ${out}`);
  },
});

/** Texts of a file: its lines, or a field of its records. */
async function inputsOf(path: string, field: string | undefined): Promise<string[]> {
  if (endingOf(path) !== ".txt")
    return (await loadRecords(path)).map((record) => textFieldOf(record, field ?? "text", "--field"));
  if (field !== undefined) throw new OptionError(`${path} has lines, no fields; leave --field out`);
  const content = new TextDecoder().decode(await readBytes(path, "texts"));
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new FileError(`${path}: has no text, expected one on each line`);
  return lines;
}

const rowsOf = ({ shape: [, width = 0], data }: Tensor<"float32">): number[][] =>
  Array.from({ length: width === 0 ? 0 : data.length / width }, (_, i) =>
    Array.from(data.subarray(i * width, (i + 1) * width)),
  );

const jsonLines = (inputs: readonly string[], rows: readonly (readonly number[])[]): string =>
  rows.map((vector, i) => `${JSON.stringify({ input: inputs[i], vector })}\n`).join("");

const matrixFile = (inputs: readonly string[], vectors: Tensor): Uint8Array =>
  encodeSafetensors({ vectors }, { format: "pt", inputs: JSON.stringify(inputs) });

/** The first numbers of the first vectors. */
function showVectors(inputs: readonly string[], rows: readonly (readonly number[])[], output: Output): void {
  for (const [i, vector] of rows.slice(0, compared).entries()) {
    const numbers = vector.slice(0, 4).map((value) => value.toFixed(3));
    output.line(`${cut(inputs[i] ?? "", 40)}: ${numbers.join(", ")}${vector.length > 4 ? ", …" : ""}`);
  }
  if (rows.length > compared) output.line(`and ${count(rows.length - compared)} more; --json and --out give them all`);
}

/** The cosines of the first inputs with each other, and of each the most similar among all. */
function showLikeness(inputs: readonly string[], rows: readonly (readonly number[])[], output: Output): void {
  const cosine = (i: number, j: number) =>
    (rows[i] ?? []).reduce((sum, value, k) => sum + value * (rows[j]?.[k] ?? 0), 0);
  const shown = rows.slice(0, compared).map((_, i) => i);
  output.line("\nCosines:");
  const columns = [
    { head: "" },
    ...shown.map((i) => ({ head: String(i + 1), align: "right" as const })),
    { head: "nearest" },
  ];
  const lines = shown.map((i) => {
    const all = rows.map((_, j) => cosine(i, j));
    const [nearest = i] = highest(all, 1, (j) => j === i);
    return [
      `${i + 1} ${cut(inputs[i] ?? "", 30)}`,
      ...shown.map((j) => (all[j] ?? 0).toFixed(2)),
      nearest < compared ? String(nearest + 1) : `${nearest + 1} ${cut(inputs[nearest] ?? "", 20)}`,
    ];
  });
  showTable(columns, lines, output);
}
