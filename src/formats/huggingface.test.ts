/** Models of tiny configs against Hugging Face's library: names of parameters, and outputs of the same weights. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Shape, showShape } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { compile } from "../jit/compile.ts";
import { PooledEncoder } from "../models/index.ts";
import { fill, integers, signed } from "../models/testing/fill.ts";
import { distanceBucket } from "../models/text/t5.ts";
import { Transformer } from "../models/text/transformer.ts";
import type { Module } from "../nn/index.ts";
import { expectClose } from "../nn/testing/check-layer.ts";
import { modelFromConfig } from "./huggingface.ts";

interface Plain {
  readonly shape: Shape;
  readonly data: readonly number[];
}
interface Run {
  readonly output: Plain;
  readonly pooled?: Plain;
}
interface RecordedModel {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly names: string;
  readonly runs: { readonly plain: Run; readonly masked?: Run };
}
interface Buckets {
  readonly both: boolean;
  readonly buckets: number;
  readonly farthest: number;
  readonly found: readonly number[];
}

/** Written by scripts/record-transformer-fixtures.py. */
const recorded = JSON.parse(
  readFileSync(new URL("../../test/fixtures/models/transformers.json", import.meta.url), "utf8"),
) as { readonly models: Readonly<Record<string, RecordedModel>>; readonly buckets: readonly Buckets[] };

/** Names and shapes as the script digests them. */
const digestOf = (model: Module): string => {
  const lines = [...model.parameters()].map(([path, { shape }]) => `${path} ${showShape(shape)}`);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
};

const revive = ({ shape, data }: Plain) => tensor(data, { shape });

/** The second sequence is two tokens shorter, and filled up with token 1. */
const mask = new Tensor(
  "int64",
  [2, 7],
  BigInt64Array.from({ length: 14 }, (_, i) => (i < 12 ? 1n : 0n)),
);
const padded = (ids: Tensor<"int64">) =>
  new Tensor(
    "int64",
    ids.shape,
    ids.data.map((id, i) => (i < 12 ? id : 1n)),
  );

/** Outputs of a model whose weights are filled, with its extra inputs by name. */
async function outputs(model: Module, x: Tensor, extra: Readonly<Record<string, Tensor>>) {
  const traced = model.trace(x, { extra });
  fill(model);
  const { values } = traced.context;
  const pooled = model instanceof PooledEncoder && "pooler" in model ? [model.pooled(traced.y)] : [];
  const executable = await compile(
    [traced.x, ...Object.values(traced.extra), ...values.values()],
    [traced.y, ...pooled],
  );
  const weights = Array.from(values.keys(), ({ value }) => value as Tensor);
  const [output, second] = await executable.run([x, ...Object.values(extra), ...weights]);
  await executable.session.release();
  return { output, second };
}

async function check(model: Module, x: Tensor, extra: Readonly<Record<string, Tensor>>, run: Run): Promise<void> {
  const { output, second } = await outputs(model, x, extra);
  expectClose(output, revive(run.output), "output");
  if (second) expectClose(second, revive(run.pooled ?? { shape: [], data: [] }), "pooled");
}

describe("names and outputs", () => {
  const ids = integers("ids", [2, 7], 31);
  const decoder = integers("decoder", [2, 5], 31);

  test.each(Object.entries(recorded.models).filter(([, { config }]) => config))(
    "%s",
    async (_, { config = {}, names, runs }) => {
      const { build, name, type, extra, input } = modelFromConfig(config);
      const model = build();
      const needed: Readonly<Record<string, Tensor>> = extra ? { decoder } : {};
      if (type === "vit") {
        await check(model, signed("input", [2, ...input.shape.slice(1)]), {}, runs.plain);
      } else {
        await check(model, ids, needed, runs.plain);
        const types: Readonly<Record<string, Tensor>> = ["bert", "albert"].includes(type)
          ? { types: integers("types", [2, 7], 2) }
          : {};
        if (runs.masked) await check(model, padded(ids), { ...needed, mask, ...types }, runs.masked);
      }
      expect(digestOf(model), `names of ${name}`).toBe(names);
    },
  );

  test("the Transformer of 2017", async () => {
    const { names, runs } = recorded.models["Transformer"] as RecordedModel;
    const model = new Transformer({ vocabulary: 31, width: 16, heads: 4, layers: 2, feedForward: 24 });
    await check(model, ids, { decoder }, runs.plain);
    await check(model, padded(ids), { decoder, mask }, runs.masked as Run);
    expect(digestOf(model)).toBe(names);
  });
});

test.each(recorded.buckets)(
  "buckets of distances: $buckets up to $farthest, both sides $both",
  ({ found, ...rules }) => {
    expect(found.map((_, i) => distanceBucket(i - 600, rules))).toEqual(found);
  },
);
