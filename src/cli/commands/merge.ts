/** `sardonyx merge`: models of one architecture as one, from file to file. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { weightsNetwork } from "../../analyze/networks/weights-network.ts";
import { average } from "../../compress/merge/average.ts";
import { dare } from "../../compress/merge/dare.ts";
import {
  type MergedFiles,
  type MergeFilesOptions,
  mergedTypes,
  mergeFiles,
} from "../../compress/merge/merge-files.node.ts";
import { readMergekit } from "../../compress/merge/mergekit.ts";
import type { MergeMethod } from "../../compress/merge/method.ts";
import { meanCosine, summedProducts } from "../../compress/merge/products.ts";
import { slerp } from "../../compress/merge/slerp.ts";
import { taskArithmetic } from "../../compress/merge/task-arithmetic.ts";
import { ties } from "../../compress/merge/ties.ts";
import { atPlace, OptionError } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { plural } from "../../core/number-text.ts";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { cachedModel, isHubName } from "../../formats/files/hub-cache.node.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { defineCommand, number, type Option, type OptionValues, oneOf, text, wholeNumber } from "../command.ts";
import { encryptToOption } from "../encryption.ts";
import { bytes, longCount } from "../inspect/units.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";

/** Numbers with commas between them. */
const numbers = (description: string): Option<readonly number[]> => ({
  placeholder: "X,X,…",
  description,
  parse(given, flag) {
    const values = given.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (values.every(Number.isFinite)) return values;
    throw new OptionError(`${flag} is "${given}"; pass numbers with commas between them, such as ${flag} 0.5,0.5`);
  },
});

const options = {
  method: oneOf("how; default average", ["average", "slerp", "task-arithmetic", "ties", "dare", "dare-ties"]),
  weights: numbers("how much each model counts, in their order; of the methods with a base λ; default 1 each"),
  t: number("of slerp: how far from the first to the second; default 0.5", { low: 0, example: 0.5 }),
  base: text("MODEL", "the model that the others were fine-tuned from, for task-arithmetic, ties and dare"),
  density: numbers("of ties and dare: share of each difference that is kept; default 0.2 and 0.5"),
  scale: number("of ties and dare: factor of the merged difference; default 1", { low: 0, example: 1 }),
  seed: wholeNumber("of dare: start of what is drawn; default 0", 0),
  dtype: oneOf("type of the merged numbers; default that of the models", mergedTypes),
  config: text("FILE", "a config of mergekit's (YAML) in place of the models and the options above"),
  out: text("DIR", "the folder to write; needed"),
  encryptTo: encryptToOption,
} as const;
type Given = OptionValues<typeof options>;

/** Which options each method reads, and how it is made of them. */
const methods: Readonly<
  Record<NonNullable<Given["method"]>, { readonly reads: readonly (keyof Given)[]; make(given: Given): MergeMethod }>
> = {
  average: { reads: ["weights"], make: ({ weights }) => average({ ...(weights && { weights }) }) },
  slerp: { reads: ["t"], make: ({ t }) => slerp({ ...(t !== undefined && { t }) }) },
  "task-arithmetic": {
    reads: ["weights", "base"],
    make: ({ weights }) => taskArithmetic({ ...(weights && { weights }) }),
  },
  ties: { reads: ["weights", "base", "density", "scale"], make: (given) => ties(shared(given)) },
  dare: {
    reads: ["weights", "base", "density", "scale", "seed"],
    make: ({ seed = 0, ...given }) => dare({ key: keyOf(seed), ...shared(given) }),
  },
  "dare-ties": {
    reads: ["weights", "base", "density", "scale", "seed"],
    make: ({ seed = 0, ...given }) => dare({ key: keyOf(seed), combine: "ties", normalize: true, ...shared(given) }),
  },
};

const shared = ({ weights, density, scale }: Given) => ({
  ...(weights && { weights }),
  ...(density && { density: density.length === 1 ? (density[0] as number) : density }),
  ...(scale !== undefined && { scale }),
});

/** What to merge, and how. */
type Plan = Pick<MergeFilesOptions, "method" | "base" | "dtype"> & {
  readonly models: readonly string[];
  readonly notes: readonly string[];
};

/** The plan that options say. Throws OptionError for one that the method does not read. */
function planOf(models: readonly string[], given: Given): Plan {
  const { method = "average", base, dtype } = given;
  const { reads, make } = methods[method];
  const stray = (["weights", "t", "base", "density", "scale", "seed"] as const).find(
    (name) => given[name] !== undefined && !reads.includes(name),
  );
  if (stray) throw new OptionError(`--method ${method} reads no --${stray}; leave it out, or choose another method`);
  return { models, method: make(given), base, dtype, notes: [] };
}

/** The plan of a config of mergekit's. Throws OptionError for options that it says itself. */
async function planOfConfig(config: string, models: readonly string[], given: Given): Promise<Plan> {
  const stray = Object.keys(given).find((name) => !["config", "out", "encryptTo", "seed"].includes(name));
  if (stray !== undefined || models.length > 0)
    throw new OptionError(
      `--config names the models and the method itself; leave ${stray ? `--${stray}` : models[0]} out, or --config`,
    );
  const content = new TextDecoder().decode(await readBytes(config, "merge"));
  try {
    return readMergekit(content, given.seed);
  } catch (error) {
    throw atPlace(config, error);
  }
}

/** The path that a person means: a path, a run below runs/, or a model in the cache of Hugging Face's tools. */
function pathOf(model: string): string {
  if (existsSync(model)) return model;
  if (existsSync(join("runs", model))) return join("runs", model);
  return isHubName(model) ? cachedModel(model) : model;
}

/** Models that were trained on from the same weights have a cosine above this; those of different starts one about 0. */
const alike = 0.5;

const kindNames: Readonly<Record<string, string>> = { dense: "dense", normalization: "normalization and others" };

interface KindRow {
  readonly kind: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly cosine: number | undefined;
}

/** The merged tensors by the kind of their layer, with the mean cosine between the models. */
function rowsOf({ out, tensors }: MergedFiles): readonly KindRow[] {
  const { parameters, layers } = weightsNetwork(out, out, tensors);
  const kinds = new Map(layers.map(({ name, kind }) => [name, kind]));
  const kindOf = new Map(parameters.map(({ name, layer }) => [name, kinds.get(layer) ?? "dense"]));
  const merged = tensors.flatMap(({ products, ...own }) => (products ? [{ ...own, products }] : []));
  const row = (kind: string, own: typeof merged): KindRow => ({
    kind,
    tensors: own.length,
    parameters: own.reduce((sum, { shape }) => sum + size(shape), 0),
    cosine: own.length === 0 ? undefined : meanCosine(summedProducts(own.map(({ products }) => products))),
  });
  const rows = Array.from(
    groupBy(merged, ({ name }) => kindOf.get(name) ?? "dense"),
    ([kind, own]) => row(kindNames[kind] ?? kind, own),
  );
  return [...rows, row("all", merged)];
}

function show(made: MergedFiles, { base }: Plan, output: Output): void {
  const rows = rowsOf(made);
  const taken = made.tensors.filter(({ products }) => products === undefined).map(({ name }) => name);
  output.record("merged", {
    out: made.out,
    files: made.files,
    bytes: made.bytes,
    kinds: rows,
    cosineOf: base === undefined ? "weights" : "differences from the base",
    taken,
    copied: made.copied,
    notes: made.notes,
  });
  showTable(
    [
      { head: "Layers" },
      { head: "Tensors", align: "right" },
      { head: "Parameters", align: "right" },
      { head: base === undefined ? "Cosine between models" : "Cosine between task vectors", align: "right" },
    ],
    rows.map(({ kind, tensors, parameters, cosine }) => [
      kind,
      String(tensors),
      longCount(parameters),
      cosine?.toFixed(4) ?? "-",
    ]),
    output,
  );
  output.line();
  const { cosine } = rows.at(-1) ?? {};
  if (base === undefined && cosine !== undefined && cosine < alike)
    output.warn(
      `The weights of the models point in different directions: the result is hardly one that works, unless they were trained on from the same weights. Measure it.`,
      "caution",
    );
  if (taken.length > 0)
    output.prose(
      `From the first model: ${plural(taken.length, "tensor")} of whole numbers (${taken.slice(0, 3).join(", ")}${taken.length > 3 ? ", …" : ""}).`,
    );
  if (made.copied.length > 0) output.prose(`From the first model's folder: ${made.copied.join(", ")}.`);
  output.prose(
    `Saved ${shownPath(made.out)}: ${made.files.length === 1 ? made.files[0] : plural(made.files.length, "file")} of ${bytes(made.bytes)}, and merge.json.`,
    2,
    "good",
  );
}

export const command = defineCommand({
  arguments: [
    {
      name: "MODEL",
      description:
        "a safetensors file or an index of several, a Hugging Face folder, or a run, two or more of one architecture",
      variadic: true,
      optional: true,
    },
  ],
  options,
  examples: [
    ["sardonyx merge runs/a runs/b --out runs/soup", "the mean of two runs, a run that eval and predict open"],
    ["sardonyx merge ./first ./second --method slerp --t 0.3 --out ./merged", "two Hugging Face folders"],
    [
      "sardonyx merge ./math ./code --method ties --base ./base --density 0.3 --out ./both",
      "two fine-tunings of one model",
    ],
    ["sardonyx merge --config merge.yml --out ./merged", "as a config of mergekit's says"],
  ],
  async run({ arguments: given, options: own, output }) {
    const { config, out } = own;
    if (out === undefined) throw new OptionError("merge writes a folder; name it: --out DIR");
    const plan = config === undefined ? planOf(given, own) : await planOfConfig(config, given, own);
    if (plan.models.length < 2 && plan.method.needsBase === false)
      throw new OptionError("merge needs two models or more; name them, or a config of mergekit's (--config FILE)");
    for (const note of plan.notes) output.warn(note, "caution");
    const interruption = onInterrupt(() => output.warn("\nStopping; nothing is written."));
    const { signal } = interruption;
    try {
      const made = await mergeFiles(plan.models.map(pathOf), {
        method: plan.method,
        base: plan.base === undefined ? undefined : pathOf(plan.base),
        dtype: plan.dtype,
        out,
        encryptTo: own.encryptTo,
        signal,
        report: (note) => output.warn(note, "caution"),
      });
      show(made, plan, output);
    } catch (error) {
      if (signal.aborted) throw new Interrupted("merge", { cause: signal.reason });
      throw error;
    } finally {
      interruption.release();
    }
  },
});
