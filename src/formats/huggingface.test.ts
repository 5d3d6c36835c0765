/** Models of tiny configs against Hugging Face's library: names of parameters, and outputs of the same weights. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Shape, showShape } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { fill, integers, signed } from "../models/testing/fill.ts";
import { distanceBucket } from "../models/text/translators/t5.ts";
import { Transformer } from "../models/text/translators/transformer.ts";
import type { AnyModule } from "../nn/index.ts";
import { expectClose } from "../nn/testing/check-layer.ts";
import { modelFromConfig } from "./huggingface.ts";
import { run } from "./testing/run.ts";

interface Plain {
  readonly shape: Shape;
  readonly data: readonly number[];
}
interface Outputs {
  readonly output: Plain;
  readonly pooled?: Plain;
}
interface RecordedModel {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly names: string;
  readonly runs: { readonly plain: Outputs; readonly masked?: Outputs };
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
const digestOf = (model: AnyModule): string => {
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

/** Compares outputs of a model whose weights are filled: the first one, and where there is one that of the sentence or image. */
async function check(
  model: AnyModule,
  inputs: Readonly<Record<string, Tensor>>,
  { output, pooled }: Outputs,
): Promise<void> {
  model.trace(inputs);
  fill(model);
  const outputs = await run(model, inputs);
  expect(outputs.length, "outputs").toBe(pooled ? 2 : 1);
  expectClose(outputs[0], revive(output), "output");
  if (pooled) expectClose(outputs[1], revive(pooled), "pooled");
}

describe("names and outputs", () => {
  const ids = integers("ids", [2, 7], 31);
  const decoder = integers("decoder", [2, 5], 31);

  test.each(Object.entries(recorded.models).filter(([, { config }]) => config))(
    "%s",
    async (_, { config = {}, names, runs }) => {
      const { build, name, type, inputs } = modelFromConfig(config);
      const model = build();
      if (type === "vit") {
        const [, ...image] = inputs["x"]?.shape ?? [];
        await check(model, { x: signed("input", [2, ...image]) }, runs.plain);
      } else {
        const needed = inputs["decoder"] && { decoder };
        await check(model, { x: ids, ...needed }, runs.plain);
        const types = ["bert", "albert"].includes(type) && { types: integers("types", [2, 7], 2) };
        if (runs.masked) await check(model, { x: padded(ids), ...needed, mask, ...types }, runs.masked);
      }
      expect(digestOf(model), `names of ${name}`).toBe(names);
    },
  );

  test("the Transformer of 2017", async () => {
    const { names, runs } = recorded.models["Transformer"] as RecordedModel;
    const model = new Transformer({ vocabulary: 31, width: 16, heads: 4, layers: 2, feedForward: 24 });
    await check(model, { x: ids, decoder }, runs.plain);
    await check(model, { x: padded(ids), decoder, mask }, runs.masked as Outputs);
    expect(digestOf(model)).toBe(names);
  });
});

test.each(recorded.buckets)(
  "buckets of distances: $buckets up to $farthest, both sides $both",
  ({ found, ...rules }) => {
    expect(found.map((_, i) => distanceBucket(i - 600, rules))).toEqual(found);
  },
);
