/** Keras's layers around others: TimeDistributed, which applies one at every step, Bidirectional, and normalization of a layer's weights. */
import * as z from "zod";
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type AnyModule, type Context, Module, valuesOf } from "../../../../nn/index.ts";
import { add, concat, div, flip, mul, reshape } from "../../../../ops/index.ts";
import { name, object } from "../../fields.ts";
import { keepsMask, type LayerCall, type MaskRule, type PlacedLayer } from "../calls.ts";
import { connectValues } from "../keras-model.ts";
import { CallLayer, defineLayer, type LayerClasses, type OneOrMore, oneOrMore } from "../layer.ts";
import { recurrentParameters } from "./recurrent.ts";

/** The layer at every step on its own: [N, T, …] → [N, T, …]. */
class TimeDistributed extends Module<Value, OneOrMore> {
  readonly layer: AnyModule;
  readonly #placed: PlacedLayer;
  constructor(placed: PlacedLayer) {
    super();
    this.layer = placed.module;
    this.#placed = placed;
  }
  protected call(x: Value, context: Context): OneOrMore {
    const [batch = 1, steps = 1, ...sample] = x.shape;
    if (x.rank < 3) throw new ShapeError(`input ${showShape(x.shape)} has no steps; pass [batch, steps, …features]`);
    const [first, ...rest] = connectValues(this.#placed, [reshape(x, [batch * steps, ...sample])], context);
    const divided = (y: Value) => reshape(y, [batch, steps, ...y.shape.slice(1)]);
    return oneOrMore([divided(first), ...rest.map(divided)]);
  }
}

/** How the outputs of both directions become one; `null` keeps both. */
const merges = {
  concat: (a: Value, b: Value) => concat([a, b], -1),
  sum: add,
  mul,
  ave: (a: Value, b: Value) => div(add(a, b), 2),
} as const satisfies Record<string, (a: Value, b: Value) => Value>;

interface Merging {
  readonly merge: ((a: Value, b: Value) => Value) | undefined;
  readonly isSequence: boolean;
}

/** A recurrent layer that reads from the begin, and one that reads from the end. */
class Bidirectional extends CallLayer {
  readonly forward: AnyModule;
  readonly backward: AnyModule;
  readonly #placed: readonly [forward: PlacedLayer, backward: PlacedLayer];
  readonly #merging: Merging;
  constructor(forward: PlacedLayer, backward: PlacedLayer, merging: Merging) {
    super();
    this.forward = forward.module;
    this.backward = backward.module;
    this.#placed = [forward, backward];
    this.#merging = merging;
  }
  protected call({ inputs: [x, ...more], named, masks }: LayerCall, context: Context): OneOrMore {
    const initial = more.length > 0 ? more : valuesOf(named["initial_state"]);
    const half = initial.length / 2;
    const read = (placed: PlacedLayer, states: readonly Value[]) =>
      connectValues(placed, [x as Value, ...states], context, masks);
    const [a, ...ofForward] = read(this.#placed[0], initial.slice(0, half));
    const [last, ...ofBackward] = read(this.#placed[1], initial.slice(half));
    // What was read from the end stands beside what was read from the begin at the same step.
    const { merge, isSequence } = this.#merging;
    const b = isSequence ? flip(last, 1) : last;
    const states = [...ofForward, ...ofBackward];
    return oneOrMore(merge ? [merge(a, b), ...states] : [a, b, ...states]);
  }
}

const inner = z.object({ class_name: name(), config: object("the layer's settings") });
const mergeError = `one of ${Object.keys(merges).join(", ")}, or null`;
const recurrent = ["LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"];

export const wrapperClasses: LayerClasses = {
  TimeDistributed: defineLayer(z.object({ layer: inner }), ({ layer }, { build }) => ({
    module: new TimeDistributed(build(layerOf(layer, ""), "layer")),
    masks: keepsMask,
  })),
  Bidirectional: defineLayer(
    z.object({
      layer: inner,
      backward_layer: inner.nullish(),
      merge_mode: z.enum(["concat", "sum", "mul", "ave"], { error: mergeError }).nullish(),
    }),
    ({ layer, backward_layer, merge_mode }, { build }) => {
      if (!recurrent.includes(layer.class_name))
        throw new UnsupportedError(`it runs a ${layer.class_name} in two directions`);
      const forward = layerOf(layer, "forward_");
      const turned = { ...layer.config, go_backwards: layer.config["go_backwards"] !== true };
      const backward = layerOf(backward_layer ?? { ...layer, config: turned }, "backward_");
      const merge = merge_mode === null ? undefined : merges[merge_mode ?? "concat"];
      const isSequence = layer.config["return_sequences"] === true;
      const both = [build(forward, "forward_layer"), build(backward, "backward_layer")] as const;
      const masks: MaskRule = ({ masks: [mask] }) => (isSequence ? (merge ? [mask] : [mask, mask]) : []);
      return { module: new Bidirectional(...both, { merge, isSequence }), masks };
    },
    recurrentParameters,
  ),
};

function layerOf({ class_name: className, config }: z.output<typeof inner>, prefix: string) {
  const own = typeof config["name"] === "string" ? config["name"] : className.toLowerCase();
  // Keras 3 writes the name with its prefix.
  const plain = prefix === "" ? own : own.replace(/^(forward|backward)_/, "");
  return { name: `${prefix}${plain}`, className, config };
}
