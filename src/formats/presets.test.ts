/** Presets of transformers against Hugging Face's library at full size: names, shapes and totals, by preset and by config. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { showShape } from "../core/shape.ts";
import { graphOf, input } from "../graph/ir.ts";
import { printGraph } from "../graph/print.ts";
import { type Preset, presetOf } from "../models/index.ts";
import { type Module, summarize } from "../nn/index.ts";
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

const digestOf = (model: Module): string => {
  const lines = [...model.parameters()].map(([path, { shape }]) => `${path} ${showShape(shape)}`);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
};

test.each(Object.entries(presets))("%s", (name, { config, names, parameters }) => {
  const preset = presetOf(name);
  const configured = modelFromConfig(config);
  expect([configured.input, configured.extra]).toEqual([preset.input, preset.extra]);
  for (const model of [preset.build(), configured.build()]) {
    expect(summarize(model, preset.input, { extra: preset.extra ?? {} }).parameters).toBe(parameters);
    expect(digestOf(model)).toBe(names);
  }
});

test("a config and its preset compute alike, in training too: their graphs print the same", () => {
  const key = input("uint32", [2], "key");
  const printed = (model: Module, { input: type, extra = {} }: Preset) => {
    const { y } = model.trace(type, { extra, training: true, key });
    return printGraph(graphOf([], [y]));
  };
  for (const [name, { config }] of Object.entries(presets)) {
    const preset = presetOf(name);
    // Compared as a whole: a difference of thousands of lines would tell nothing.
    expect(printed(modelFromConfig(config).build(), preset) === printed(preset.build(), preset), name).toBe(true);
  }
});
