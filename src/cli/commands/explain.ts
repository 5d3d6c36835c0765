/** `sardonyx explain`: why a model predicts what it does for an input, and whether to believe that. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { percent } from "../../core/number-text.ts";
import { Tensor } from "../../core/tensor.ts";
import { type ExplanationPage, explanationPage } from "../../explain/pictures/page.ts";
import type { Picture } from "../../explain/pictures/picture.ts";
import { picturePng } from "../../explain/pictures/png.ts";
import { pictureSvg } from "../../explain/pictures/svg.ts";
import { type ExplainedSample, explainSample } from "../../runs/explain/explain-sample.ts";
import { methodNames } from "../../runs/explain/methods.ts";
import { type AnySample, largestOf, nameOf, placeOf } from "../../runs/explain/sample.ts";
import { type NamedSample, sampleOfFile, sampleOfRun } from "../../runs/explain/sample-of.node.ts";
import { findRun, isRun } from "../../runs/folder/run-folder.node.ts";
import { describeOutput } from "../../runs/open/predict-output.ts";
import { endingOf } from "../../storage/ending.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { defineCommand, type OptionValues, oneOf, text, toggle, wholeNumber } from "../command.ts";
import { encryptToOption, writeOutput } from "../encryption.ts";
import { checkSentences, curvesOf, passes, verdictOf } from "../explain/checks.ts";
import { showPicture } from "../explain/show-picture.ts";
import { computeOptions, openNamed } from "../open-run.ts";
import type { Output } from "../output.ts";

const options = {
  method: oneOf("how; default by the kind of input", methodNames),
  target: text("CLASS", "the class, by name or number, or the next token that is explained; default the likeliest"),
  against: text("CLASS", "explain why the target rather than this one"),
  row: wholeNumber("of an input of several samples, the one to explain, from 0", 0),
  input: text("NAME", "of a model in a file with several inputs, the one to explain; default the tokens"),
  background: text("PATH", "a file of samples, or a folder of such files, that expected-gradients compares with"),
  check: toggle("measure whether the values show what carries the score, and what the model learned"),
  out: text("FILE", "write a page (.html), or the picture alone (.svg, .png)"),
  encryptTo: encryptToOption,
  ...computeOptions,
} as const;
type Given = OptionValues<typeof options>;

const endings = [".html", ".svg", ".png"];

/** Throws OptionError for a file that cannot be written, before anything is computed. */
function requireEnding(out: string | undefined): void {
  if (out !== undefined && !endings.includes(endingOf(out)))
    throw new OptionError(`--out is ${out}; pass a file that ends in ${endings.join(", ")}`);
}

async function opened(name: string, input: string, given: Given, output: Output): Promise<NamedSample> {
  // What is neither is said by what opens runs.
  if (isRun(name) || !existsSync(name)) return sampleOfRun(await openNamed(name, given, output), input, given);
  const stray = (["best", "recipe", "nonFinite", "device"] as const).find((own) => given[own] !== undefined);
  if (stray) throw new OptionError(`${name} is a model in a file, no run; leave --${stray} out`);
  return sampleOfFile(name, input, given);
}

/** What the model says of the sample, as `predict` shows it. */
function predictionText(sample: AnySample): string {
  const { scores, scoresOf, names } = sample;
  const numbers = Array.from(scores);
  if (scoresOf === "next tokens") {
    const probabilities = softmaxOf(numbers);
    const order = numbers.map((_, i) => i).sort((a, b) => (numbers[b] as number) - (numbers[a] as number));
    const shown = order.slice(0, 3).map((at) => `${nameOf(sample, at)} (${percent(probabilities[at] as number)})`);
    return `next ${shown[0]}   then ${shown.slice(1).join(", ")}`;
  }
  const y = new Tensor("float32", [1, numbers.length], Float32Array.from(numbers));
  return describeOutput(y, 0, scoresOf === "labels" ? { labels: names } : { classes: names }).text;
}

function softmaxOf(scores: readonly number[]): readonly number[] {
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

interface Told {
  readonly name: string;
  readonly sample: AnySample;
  readonly found: ExplainedSample;
  readonly notes: readonly string[];
}

function pageOf({ name, sample, found, notes }: Told): ExplanationPage {
  const { checked } = found;
  return {
    title: `Why ${found.subject}`,
    sentences: [
      `${name}: ${predictionText(sample)}`,
      ...found.sentences,
      ...(checked ? [...checkSentences(checked), verdictOf(checked)] : []),
    ],
    pictures: found.pictures,
    ...(checked && { plots: [curvesOf(checked)] }),
    notes: [...notes, ...found.notes],
  };
}

/** Values with their names, or of maps by their shape, for programs. */
function valuesOf(picture: Picture): Readonly<Record<string, unknown>> {
  if (picture.kind === "map") return { shape: picture.values.shape, values: picture.values.toNumbers() };
  return picture.kind === "bars" ? { columns: picture.bars } : { words: picture.words };
}

function show({ name, sample, found, notes }: Told, output: Output): void {
  output.prose(`${name}: ${predictionText(sample)}`, 2, "strong");
  for (const sentence of found.sentences) output.prose(sentence, 2);
  for (const { title, picture } of found.pictures) {
    output.line();
    output.line(title, "strong");
    output.line();
    showPicture(picture, output);
  }
  const { checked } = found;
  if (checked) {
    output.line();
    for (const sentence of checkSentences(checked)) output.prose(sentence, 2);
    output.prose(verdictOf(checked), 2, passes(checked) ? "good" : "caution");
  }
  for (const note of [...notes, ...found.notes]) output.prose(`Note: ${note}.`, 2, "caution");
}

function record({ name, sample, found, notes }: Told, output: Output): void {
  const { method, chosen, score, completeness, checked } = found;
  output.record("explanation", {
    input: name,
    method,
    target: nameOf(sample, chosen.place),
    place: chosen.place,
    ...(chosen.against !== undefined && { against: nameOf(sample, chosen.against) }),
    score,
    ...(completeness && { completeness, baseline: sample.baselineText }),
    pictures: found.pictures.map(({ title, picture }) => ({ title, ...valuesOf(picture) })),
    ...(checked && {
      check: {
        passes: passes(checked),
        deletion: checked.faithfulness.deletion.area,
        insertion: checked.faithfulness.insertion.area,
        random: checked.faithfulness.random,
        infidelity: checked.infidelity.scaled,
        infidelityOfZeros: checked.infidelity.zeros,
        ...(checked.sensitivity && { sensitivity: checked.sensitivity.sensitivity }),
        sanity: checked.sanity.layers,
      },
    }),
    notes: [...notes, ...found.notes],
  });
}

/** The file that a person asked for. */
function contentOf(out: string, told: Told): string | Uint8Array {
  const ending = endingOf(out);
  if (ending === ".html") return explanationPage(pageOf(told));
  const [first] = told.found.pictures;
  const picture = first?.picture as Picture;
  return ending === ".svg" ? pictureSvg(`Why ${told.found.subject}`, picture) : picturePng(picture);
}

export const command = defineCommand({
  arguments: [
    { name: "RUN", description: "folder of a run, its name below runs/, or a model in a file (.onnx, …)" },
    { name: "INPUT", description: "an input as predict reads it: an image, a sound, a row, numbers, a text, a prompt" },
  ],
  options,
  examples: [
    ["sardonyx explain runs/lenet-mnist seven.png", "a map over the image"],
    ["sardonyx explain texts 'I loved it' --check", "words, and whether to believe them"],
    ["sardonyx explain runs/table row.json --target yes --against no", "columns: why yes rather than no"],
    ["sardonyx explain writing 'Call me' --method logit-lens", "what comes next, block by block"],
    ["sardonyx explain images cat.jpg --method grad-cam --out cat.html", "a page to send"],
    ["sardonyx explain images cat.jpg --background images/train", "beyond what is usual in these images"],
  ],
  async run({ arguments: [name = "", input = ""], options: given, output }) {
    const { method, target, against, background, check, out } = given;
    requireEnding(out);
    if (background !== undefined && method !== undefined && method !== "expected-gradients")
      throw new OptionError(`--background is for expected-gradients, and --method is ${method}; leave one out`);
    const { name: shown, sample, notes } = await opened(name, input, given, output);
    const place = target === undefined ? largestOf(sample) : placeOf(sample, target, "--target");
    const other = against === undefined ? undefined : placeOf(sample, against, "--against");
    if (other === place)
      throw new OptionError(`--against is ${against}, which is the target itself; name another one, or leave it out`);
    const found = await explainSample(sample, { method, chosen: { place, against: other }, check });
    const told = { name: shown, sample, found, notes };
    record(told, output);
    show(told, output);
    if (out === undefined) return;
    const of = isRun(name) ? findRun(name) : undefined;
    await writeOutput(resolve(out), contentOf(out, told), { encryptTo: given.encryptTo, of }, output);
    output.record("saved", { path: resolve(out) });
    output.line();
    output.line(`Saved ${shownPath(resolve(out))}`, "good");
  },
});
