/** Models of tiny configs against Hugging Face's library: names of parameters, and outputs of the same weights. */
import { describe, expect, test } from "vitest";
import { distanceBucket } from "../models/shared/relative-bias.ts";
import { signed } from "../models/testing/fill.ts";
import { Transformer } from "../models/text/translators/transformer.ts";
import { modelFromConfig } from "./huggingface.ts";
import { checkOutputs, digestOf, type Plain, readRecorded, recordedIds } from "./testing/recorded-models.ts";

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
const recorded = readRecorded<{
  readonly models: Readonly<Record<string, RecordedModel>>;
  readonly buckets: readonly Buckets[];
}>("transformers");

const outputsOf = ({ output, pooled }: Outputs) => [output, ...(pooled ? [pooled] : [])];

describe("names and outputs", () => {
  const { x: ids, decoder, types, padded, mask } = recordedIds(31);

  test.each(Object.entries(recorded.models).filter(([, { config }]) => config))(
    "%s",
    async (_, { config = {}, names, runs }) => {
      const { build, name, type, inputs } = modelFromConfig(config);
      const model = build();
      if (type === "vit") {
        const [, ...image] = inputs["x"]?.shape ?? [];
        await checkOutputs(model, { x: signed("input", [2, ...image]) }, outputsOf(runs.plain));
      } else {
        const needed = inputs["decoder"] && { decoder };
        await checkOutputs(model, { x: ids, ...needed }, outputsOf(runs.plain));
        const segments = ["bert", "albert"].includes(type) && { types };
        if (runs.masked) await checkOutputs(model, { x: padded, ...needed, mask, ...segments }, outputsOf(runs.masked));
      }
      expect(digestOf(model), `names of ${name}`).toBe(names);
    },
  );

  test("the Transformer of 2017", async () => {
    const { names, runs } = recorded.models["Transformer"] as RecordedModel;
    const model = new Transformer({ vocabulary: 31, width: 16, heads: 4, layers: 2, feedForward: 24 });
    await checkOutputs(model, { x: ids, decoder }, outputsOf(runs.plain));
    await checkOutputs(model, { x: padded, decoder, mask }, outputsOf(runs.masked as Outputs));
    expect(digestOf(model)).toBe(names);
  });
});

test.each(recorded.buckets)(
  "buckets of distances: $buckets up to $farthest, both sides $both",
  ({ found, ...rules }) => {
    expect(found.map((_, i) => distanceBucket(i - 600, rules))).toEqual(found);
  },
);
