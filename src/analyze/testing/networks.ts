/** Networks for tests: of presets, of modules, of functions over values. */
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { presetOf } from "../../models/index.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { type Flow, flowOf } from "../networks/flow.ts";
import { moduleNetwork } from "../networks/module-network.ts";
import type { Network } from "../networks/network.ts";
import { inspect } from "../report/inspect.ts";

export const adam = { name: "adam", slots: ["m", "v"] } as const;

/** How tests train. */
export const options = { optimizer: adam, precision: "float32" } as const;

/** The network of a preset, as published. */
export function presetNetwork(name: string): Network {
  const { source, inputs, build } = presetOf(name);
  return moduleNetwork({ name, source, model: build(), inputs });
}

/** The network of a module. */
export const networkOf = (model: AnyModule, inputs: TypeTree): Network =>
  moduleNetwork({ name: "test", source: "test", model, inputs });

/** The document of a network. */
export const inspectionOf = (network: Network) => inspect(network, options).inspection;

/** The flow of a function of one data input [2, 3] and any number of parameters, each a matrix [3, 3] by default. */
export function flowOfFunction(build: (x: Value, parameter: (...shape: number[]) => Value) => Value): Flow {
  const x = input("float32", [2, 3], "x");
  const parameters: Value[] = [];
  const y = build(x, (...shape) => {
    const value = input("float32", shape.length > 0 ? shape : [3, 3], `w${parameters.length}`);
    parameters.push(value);
    return value;
  });
  return flowOf(graphOf([x, ...parameters], [y]), parameters);
}
