/** A Keras model as a module: its layers under their names, run as the calls of the file say. */
import { FileError } from "../../../core/errors.ts";
import type { Value } from "../../../graph/ir.ts";
import type { Context, Extra, Module } from "../../../nn/index.ts";
import { Several } from "./several.ts";
import type { ModelConfig, Reference } from "./topology.ts";

/** Takes its first input, the others by the names of their layers; gives its outputs in order. */
export class KerasModel extends Several {
  readonly kind = "container";
  readonly #topology: ModelConfig;
  readonly #layers: ReadonlyMap<string, Module>;

  constructor(topology: ModelConfig, layers: ReadonlyMap<string, Module>) {
    super();
    this.#topology = topology;
    this.#layers = layers;
  }

  override children(): { readonly path: string; readonly module: Module }[] {
    // Names may be divided themselves, as in "block1/conv".
    return Array.from(this.#layers, ([name, module]) => ({ path: name.replaceAll("/", "."), module }));
  }

  protected call(x: Value, context: Context, others: Extra): Value {
    const { calls, inputs, outputs } = this.#topology;
    const results = new Map<string, readonly Value[]>();
    // A model within another is given what it takes in order, under other names than those of its inputs.
    const given = [x, ...Object.values(others)];
    const entering = new Map(inputs.map(({ name }, i) => [name, others[name] ?? given[i]]));
    const take = ({ layer, call, output }: Reference): Value => {
      const all = entering.has(layer) ? [entering.get(layer)] : (results.get(keyOf(layer, call)) ?? []);
      const value = all[output];
      if (!value)
        throw new FileError(
          `tfjs: result ${output} of layer "${layer}" is taken, which gives ${all.length}; convert the model again`,
        );
      return value;
    };
    for (const { layer, index, inputs: taken } of calls) {
      const module = this.#layers.get(layer) as Module;
      const [first, ...rest] = taken.map(take) as [Value, ...Value[]];
      const y = module.apply(first, context, Object.fromEntries(rest.map((value, i) => [`operand${i + 1}`, value])));
      results.set(keyOf(layer, index), module.outputs(y));
    }
    const [first, ...rest] = outputs.map(take) as [Value, ...Value[]];
    return this.giving(first, ...rest);
  }
}

const keyOf = (layer: string, call: number): string => `${layer}#${call}`;
