/** Which modules expressions of an adapter_config.json name, and that none makes the reader hang. */
import { expect, test } from "vitest";
import { isTargeted, numberAt } from "./targets.ts";

test("blocks by their number, in the first list that a pattern names", () => {
  const fields = { target_modules: ["q_proj"], layers_to_transform: [3], layers_pattern: "layers" };
  expect(isTargeted("model.layers.3.self_attn.q_proj", fields)).toBe(true);
  expect(isTargeted("model.layers.4.self_attn.q_proj", fields)).toBe(false);
  expect(isTargeted("model.layers.4.experts.3.q_proj", fields)).toBe(false);
  expect(isTargeted("model.layers.4.experts.3.q_proj", { ...fields, layers_pattern: "experts" })).toBe(true);
  expect(isTargeted("model.layers.3.experts.7.q_proj", { ...fields, layers_pattern: null })).toBe(true);
});

const name = `${"a".repeat(60)}.layers.0.q_proj`;

test.each([
  ["target_modules", { target_modules: "(a+)+" }],
  ["exclude_modules", { target_modules: ["q_proj"], exclude_modules: "(.*)*(.*)*x" }],
  ["modules_to_save", { target_modules: ["q_proj"], modules_to_save: ["(a|a)*b"] }],
  ["layers_pattern", { target_modules: ["q_proj"], layers_to_transform: 1, layers_pattern: "(?:a|.)*(?:a|.)*x" }],
])("an expression in %s that backtracks without end", (_, fields) => {
  const begin = performance.now();
  isTargeted(name, fields);
  expect(performance.now() - begin).toBeLessThan(5000);
});

test("one in the patterns of ranks, and one that is not supported", () => {
  expect(numberAt("rank_pattern", { "(a+)+b": 4, ".*q_proj": 8 }, name)).toBe(8);
  expect(() => isTargeted(name, { target_modules: "(a)\\1" })).toThrow(/no regular expression that is understood here/);
});
