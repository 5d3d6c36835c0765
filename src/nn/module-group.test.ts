/** Modules in a group: paths, and what is refused. */
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { input } from "../graph/ir.ts";
import { Context } from "./context.ts";
import { dense } from "./layers/dense.ts";
import { ModuleGroup } from "./module-group.ts";

test("parameters have the names of their modules before their paths", () => {
  const [generator, critic] = [dense(3), dense(1, { bias: false })];
  const group = new ModuleGroup({ generator, critic });
  const context = new Context(group);
  expect(critic.apply(generator.apply(input("float32", [2, 4]), context), context).shape).toEqual([2, 1]);
  expect([...group.parameters().keys()]).toEqual(["generator.weight", "generator.bias", "critic.weight"]);
  expect(group.freeze("generator")).toBe(2);
});

test("it is not applied itself, and takes modules under free names alone", () => {
  const group = new ModuleGroup({ critic: dense(1) });
  expect(() => group.trace({ dtype: "float32", shape: [2, 4] })).toThrow("apply one of them in the objective");
  expect(() => new ModuleGroup({ freeze: dense(1) })).toThrow(OptionError);
  expect(() => new ModuleGroup({ freeze: dense(1) })).toThrow('no module of a group can be called "freeze"');
  expect(() => new ModuleGroup({ critic: (() => dense(1)) as never })).toThrow('"critic" is a function; pass modules');
});
