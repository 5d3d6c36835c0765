/** Channels of every family of Hugging Face's library, at tiny sizes: heads, hidden units, experts, towers. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Tensor } from "../../../core/tensor.ts";
import { modelFromConfig } from "../../../formats/huggingface.ts";
import { readRecorded, recordedIds } from "../../../formats/testing/recorded-models.ts";
import { run } from "../../../formats/testing/run.ts";
import { fill, signed } from "../../../models/testing/fill.ts";
import type { TypeTree } from "../../../nn/index.ts";
import { cutChannels, planChannels } from "../index.ts";
import { compared, eraseParts } from "../testing/exactness.ts";

interface Group {
  readonly models: Readonly<Record<string, { readonly config: Readonly<Record<string, unknown>> }>>;
}

const folder = new URL("../../../../test/fixtures/models/families/", import.meta.url);
const groups = readdirSync(folder).map((file) => file.replace(".json", ""));
const { x, decoder } = recordedIds(13);

/** Heads of tasks differ in little that matters here. */
const isTask = (name: string) => /For(Sequence|Token|Question)/.test(name);

describe.each(groups)("%s", (group) => {
  const models = Object.entries(readRecorded<Group>(`families/${group}`).models).filter(([name]) => !isTask(name));
  test.each(models)("%s", async (_, { config }) => {
    const { build, inputs } = modelFromConfig(config);
    const model = build();
    const given = (samples: number): Readonly<Record<string, Tensor>> =>
      Object.fromEntries(
        Object.entries(inputs).map(([input, { dtype, shape }]) => {
          if (dtype !== "int64") return [input, signed("input", [samples, ...shape.slice(1)])];
          const { shape: ids, data } = input === "decoder" ? decoder : x;
          return [input, new Tensor("int64", [samples, ids[1] ?? 1], data.slice(0, samples * (ids[1] ?? 1)))];
        }),
      );
    const taken = <T>(named: Readonly<Record<string, T>>) =>
      model.inputs === "tensor" ? Object.values(named)[0] : named;
    const types = taken(given(1)) as TypeTree;
    model.trace(types);
    fill(model);
    const plan = await planChannels(model, { keep: { channels: 0.6 }, inputs: types });
    eraseParts(
      model,
      plan.groups.flatMap(({ cut }) => cut.flat()),
    );
    const { model: smaller, notes } = cutChannels(model, plan, { inputs: types });
    // The graphs of a few, such as windows that are shifted, are of one batch size.
    const ask = taken(given(notes.some((note) => note.includes("one batch size")) ? 1 : 2)) as Tensor;
    const { apart, size } = compared(await run(model, ask), await run(smaller, ask));
    expect(apart).toBeLessThanOrEqual(1e-5 * Math.max(1, size));
  });
});
