/** `sardonyx compress`: a smaller model, measured beside the one that it was made of. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { compareModels } from "../../compress/measure/compare-models.ts";
import { quantizeDynamic } from "../../compress/quantize/dynamic.ts";
import { halveWeights } from "../../compress/quantize/half.ts";
import type { QuantizedModel } from "../../compress/quantize/quantized-model.ts";
import { rangeMethods } from "../../compress/quantize/ranges.ts";
import { quantizationSensitivity, quantizeWithin } from "../../compress/quantize/sensitivity.ts";
import { quantizeStatic } from "../../compress/quantize/static.ts";
import { quantizeWeights, roundingMethods } from "../../compress/quantize/weights/quantize-weights.ts";
import { OptionError } from "../../core/errors.ts";
import { flagOf } from "../../core/printable.ts";
import { copyOf } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import type { Parameter } from "../../nn/index.ts";
import { limited } from "../../runs/recipes/recipe.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { defineCommand, number, type OptionValues, oneOf, text, toggle, wholeNumber } from "../command.ts";
import { type Pruning, pruned, showPlan } from "../compress/prune.ts";
import { showComparison, showLayers, showSensitivity } from "../compress/show.ts";
import { judgedBy, openSubject, type Subject } from "../compress/subject.ts";
import { encryptToOption, writeOutput } from "../encryption.ts";
import { openOptions } from "../open-run.ts";

/** What a model that was only pruned is stored in. */
const plainKind = "float32";
const kinds = ["int8", "dynamic", "weights8", "int4", "float16"] as const;
type Kind = (typeof kinds)[number];

const options = {
  quantize: oneOf(
    "int8 computes convolutions and dense layers in 8 bits by ranges seen on data; dynamic dense layers by ranges of each run; weights8 and int4 store weights so, float16 too; default int8",
    kinds,
  ),
  macs: number(
    "cut channels until this share of the multiply-adds stays, such as 0.5; then --quantize only where it is given",
    { low: 0, above: true, example: 0.5 },
  ),
  multiple: wholeNumber(
    "of --macs: what stays of a layer's channels is a multiple of this; default 16, by which engines compute, or 8 where that cuts too little",
    1,
  ),
  sparsity: number("set this share of the weights to zero, such as 0.9; then --quantize only where it is given", {
    low: 0,
    above: true,
    example: 0.9,
  }),
  epochs: wholeNumber(
    "of --macs and --sparsity: epochs of training afterwards; default 1, and 0 of a file without labels",
    0,
  ),
  learningRate: number("of that training, by Adam; default 0.0005", { low: 0, above: true, example: 0.0005 }),
  plan: toggle("of --macs and --sparsity: show what would go, layer by layer, and write nothing"),
  ranges: oneOf("of int8: how the range of a value is chosen; default minmax", rangeMethods),
  perTensor: toggle("of int8: one scale for a weight, rather than one for each output"),
  symmetric: toggle("of int8 and int4: numbers around 0"),
  reduceRange: toggle("of int8: weights of 7 bits, for processors without VNNI"),
  smooth: number("of int8: share of the size of features that is moved to weights, such as 0.5", {
    low: 0,
    example: 0.5,
  }),
  rounding: oneOf("of weights8 and int4: how weights are rounded; default nearest", roundingMethods),
  block: wholeNumber("of weights8 and int4: weights that share a scale: 16, 32, 64, 128 or 256; default 32", 16),
  samples: wholeNumber("of int8 and of rounding: samples of the training data to look at", 1),
  keep: text("LAYER,…", "layers that stay float32"),
  within: number("of int8: keep the layers that hurt most in float32 until no more of the result is lost", {
    low: 0,
    example: 0.005,
  }),
  sensitivity: toggle("show how much each layer hurts when it alone is in int8, and write nothing"),
  data: text("FILE", "of a model file: its inputs by their names, and labels y, as safetensors"),
  limit: wholeNumber("measure on so many batches of the test; default all", 1),
  out: text("FILE", "the file to write; default model.KIND.onnx in the run's folder"),
  encryptTo: encryptToOption,
  ...openOptions,
} as const;
type Given = OptionValues<typeof options>;

/** Which options each kind reads, beside those that all do. */
const reads: Readonly<Record<Kind, readonly (keyof Given)[]>> = {
  int8: ["ranges", "perTensor", "symmetric", "reduceRange", "smooth", "samples", "within", "sensitivity"],
  dynamic: [],
  weights8: ["symmetric", "rounding", "block", "samples"],
  int4: ["symmetric", "rounding", "block", "samples"],
  float16: [],
};

/** Throws OptionError for an option that a kind does not read. */
function requireRead(kind: Kind | undefined, given: Given): void {
  const all = new Set(Object.values(reads).flat());
  const own = kind === undefined ? [] : reads[kind];
  const stray = [...all].find((name) => given[name] !== undefined && !own.includes(name));
  if (!stray) return;
  const others = kinds.filter((other) => reads[other].includes(stray));
  throw new OptionError(
    `${kind === undefined ? "pruning alone" : `--quantize ${kind}`} reads no ${flagOf(stray)}; leave it out, or choose ${others.map((own) => `--quantize ${own}`).join(" or ")}`,
  );
}

/** How options prune; `undefined` where they do not. Throws OptionError for those that ask for both ways, or for nothing. */
function pruningOf(given: Given, { loss, train }: Pick<Subject, "loss" | "train">): Pruning | undefined {
  const { macs, multiple, sparsity, epochs, learningRate, plan, keep } = given;
  if (macs === undefined && sparsity === undefined) {
    const stray = (["multiple", "epochs", "learningRate", "plan"] as const).find((name) => given[name] !== undefined);
    if (stray)
      throw new OptionError(`${flagOf(stray)} is about pruning; add --macs 0.5 or --sparsity 0.9, or leave it out`);
    return undefined;
  }
  if (macs !== undefined && sparsity !== undefined)
    throw new OptionError(
      "--macs cuts channels and --sparsity single weights; pass one, and compress the result again",
    );
  if (multiple !== undefined && macs === undefined)
    throw new OptionError("--multiple is about channels; leave it out, or pass --macs 0.5");
  const canTrain = loss !== undefined && train !== undefined;
  return {
    macs,
    multiple: multiple ?? [16, 8],
    sparsity,
    keep: namesIn(keep),
    epochs: plan ? 0 : (epochs ?? Number(canTrain)),
    learningRate: learningRate ?? 0.0005,
  };
}

/** Names between commas. */
const namesIn = (list: string | undefined): readonly string[] | undefined =>
  list
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The data to calibrate with. Throws OptionError of a file without. */
function calibration({ train }: Subject, what: string): NonNullable<Subject["train"]> {
  if (train) return train;
  throw new OptionError(`${what} looks at data, and a model file has none; name some: --data FILE.safetensors`);
}

/** What a kind makes of a model. */
async function quantized(kind: Kind, subject: Subject, given: Given): Promise<QuantizedModel> {
  const { model, inputs, metadata } = subject;
  const shared = { inputs, metadata, keep: namesIn(given.keep) };
  if (kind === "dynamic") return quantizeDynamic(model, shared);
  if (kind === "float16") return halveWeights(model, shared);
  if (kind === "int8") return inBytes(subject, given, shared);
  const { rounding = "nearest", block, symmetric, samples } = given;
  return quantizeWeights(model, {
    ...shared,
    bits: kind === "int4" ? 4 : 8,
    method: rounding,
    data: rounding === "nearest" ? subject.train : calibration(subject, `--rounding ${rounding}`),
    block,
    symmetric,
    samples,
  });
}

/** How int8 is chosen by options. */
const staticOptions = ({ ranges, perTensor, symmetric, reduceRange, smooth, samples }: Given) => ({
  ranges,
  perChannel: perTensor ? false : undefined,
  symmetric,
  reduceRange,
  smooth,
  samples,
});

async function inBytes(
  subject: Subject,
  given: Given,
  shared: { readonly keep: readonly string[] | undefined } & Pick<Subject, "inputs" | "metadata">,
): Promise<QuantizedModel> {
  const data = calibration(subject, "--quantize int8");
  const own = { ...shared, ...staticOptions(given) };
  if (given.within === undefined) return quantizeStatic(subject.model, data, own);
  const { validation, measured } = subject;
  if (!validation || !measured)
    throw new OptionError(
      "--within chooses by data apart from the test, and by a loss of the outputs, and there are none; name the layers to keep: --keep",
    );
  const found = await quantizeWithin(subject.model, data, {
    ...own,
    validation,
    measured,
    score: (results) => judgedBy(results).score,
    allowed: given.within,
  });
  const { before, after } = found.scores;
  const lost = `the result on the validation data falls by ${Math.max(before - after, 0).toPrecision(2)}`;
  return {
    ...found,
    notes: [...found.notes, found.isWithin ? lost : `${lost} even with one layer in int8: choose another kind`],
  };
}

/** Keeps what parameters hold; what it gives puts it back. */
function valuesKept(parameters: Iterable<Parameter>): () => void {
  const kept = Array.from(parameters, (own) => [own, own.value && copyOf(own.value)] as const);
  return () => {
    for (const [own, value] of kept) own.value = value;
  };
}

/** A model that is written as it is. */
const written = ({ model, inputs, metadata }: Subject): QuantizedModel => ({
  bytes: encodeOnnx(model, { ...(inputs && { inputs }), metadata }).bytes,
  layers: [],
  kept: [],
  notes: [],
});

export const command = defineCommand({
  arguments: [
    { name: "RUN|FILE", description: "folder of a run, or its name below runs/; or a model file, such as model.onnx" },
  ],
  options,
  examples: [
    [
      "sardonyx compress runs/cnn-fashion",
      "int8 by ranges on its training data: model.int8.onnx, measured on its test",
    ],
    ["sardonyx compress runs/gpt-bpe --quantize int4 --rounding gptq", "weights of 4 bits"],
    ["sardonyx compress runs/cnn-fashion --within 0.002", "as many layers in int8 as 0.2 points of accuracy allow"],
    ["sardonyx compress runs/cnn-fashion --sensitivity", "which layers hurt"],
    [
      "sardonyx compress runs/cnn-fashion --macs 0.5 --epochs 4 --quantize int8",
      "half of the multiply-adds cut away, trained on, then int8",
    ],
    ["sardonyx compress runs/cnn-fashion --macs 0.5 --plan", "what would be cut"],
    ["sardonyx compress encoder.onnx --quantize dynamic", "dense layers of a file, without data"],
  ],
  async run({ arguments: [named = ""], options: given, output }) {
    const isPruned = given.macs !== undefined || given.sparsity !== undefined;
    const kind = given.quantize ?? (isPruned ? undefined : "int8");
    requireRead(kind, given);
    const { best, nonFinite, recipe, data, limit, out } = given;
    const path = out === undefined ? undefined : resolve(out);
    if (path !== undefined && existsSync(path) && statSync(path).isDirectory())
      throw new OptionError(`--out ${out} is a folder; name a file in it`);
    const subject = await openSubject(named, { best, nonFinite, recipe, data }, output);
    const { model, inputs, test, measured, caution } = subject;
    const isChosen = given.within !== undefined || data !== undefined;
    if (caution !== undefined && isChosen) output.warn(`Note: ${caution}.`, "caution");
    if (given.sensitivity) {
      const own = { inputs, keep: namesIn(given.keep), ...staticOptions(given) };
      const layers = await quantizationSensitivity(model, calibration(subject, "--sensitivity"), own);
      output.record("sensitivity", { layers });
      showSensitivity(layers, output);
      return;
    }
    const pruning = pruningOf(given, subject);
    if (pruning && given.plan) return showPlan(subject, pruning, output);
    // Weights are pruned in place, and what comes of it is compared with those of before.
    const restore = valuesKept(given.sparsity === undefined ? [] : model.parameters().values());
    const smaller = pruning && (await pruned(subject, pruning, output));
    for (const note of smaller?.notes ?? []) output.warn(`Note: ${note}.`, "caution");
    const own = smaller ? { ...subject, model: smaller.model } : subject;
    const made = kind === undefined ? written(own) : await quantized(kind, own, given);
    const to = path ?? `${subject.out}.${kind ?? plainKind}.onnx`;
    if (kind !== undefined) showLayers(made, output);
    restore();
    const comparison =
      test && (await compareModels(model, made.bytes, { data: limited(test, limit), measured, inputs }));
    if (comparison) showComparison(comparison, output);
    const of = existsSync(named) ? resolve(named) : undefined;
    await writeOutput(to, made.bytes, { encryptTo: given.encryptTo, of }, output);
    const { layers, kept, notes } = made;
    output.record("compressed", { path: to, kind: kind ?? plainKind, layers, kept, notes, ...comparison });
    output.prose(`Saved ${shownPath(to)}; ONNX Runtime runs it in Node and in browsers.`, 2, "good");
  },
});
