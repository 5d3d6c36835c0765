/** Presets of transformers against Hugging Face's library at full size: names, shapes and totals, by preset and by config. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { showShape } from "../core/shape.ts";
import { graphOf, input } from "../graph/ir.ts";
import { printGraph } from "../graph/print.ts";
import { type Preset, presetOf } from "../models/index.ts";
import { type AnyModule, summarize, valuesOf } from "../nn/index.ts";
import { modelFromConfig } from "./huggingface.ts";

interface RecordedPreset {
  readonly config: unknown;
  readonly names: string;
  readonly parameters: number;
}

/** Written by scripts/record-transformer-fixtures.py. */
const { presets } = JSON.parse(
  readFileSync(new URL("../../test/fixtures/models/transformers.json", import.meta.url), "utf8"),
) as { readonly presets: Readonly<Record<string, RecordedPreset>> };

const digestOf = (model: AnyModule): string => {
  const lines = [...model.parameters()].map(([path, { shape }]) => `${path} ${showShape(shape)}`);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
};

test.each(Object.entries(presets))("%s", (name, { config, names, parameters }) => {
  const preset = presetOf(name);
  const configured = modelFromConfig(config);
  expect(configured.inputs).toEqual(preset.inputs);
  for (const model of [preset.build(), configured.build()]) {
    expect(summarize(model, preset.inputs).parameters).toBe(parameters);
    expect(digestOf(model)).toBe(names);
  }
});

test("a config and its preset compute alike, in training too: their graphs print the same", () => {
  const key = input("uint32", [2], "key");
  const printed = (model: AnyModule, { inputs }: Preset) => {
    const { output } = model.trace(inputs, { training: true, key });
    return printGraph(graphOf([], valuesOf(output)));
  };
  for (const [name, { config }] of Object.entries(presets)) {
    const preset = presetOf(name);
    // Compared as a whole: a difference of thousands of lines would say nothing.
    expect(printed(modelFromConfig(config).build(), preset) === printed(preset.build(), preset), name).toBe(true);
  }
});
