/** Keras's LSTM whose products are convolutions, over one to three axes (Shi et al. 2015). */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { type Shape, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type Context, glorotUniform, zerosInit } from "../../../../nn/index.ts";
import { resolvePadding } from "../../../../nn/layers/convolution.ts";
import { add, conv, expand, mul, reshape, split, zeros } from "../../../../ops/index.ts";
import { count } from "../../../config-fields.ts";
import type { LayerCall } from "../calls.ts";
import { extents, type Layout, layout, padding, toggle } from "../config.ts";
import { CallLayer, defineLayer, type LayerClass, type LayerClasses, type OneOrMore, type StoredAs } from "../layer.ts";
import { kernelOf } from "./convolution.ts";
import {
  type Read,
  type ReadingFields,
  readingFields,
  readingOf,
  recurrentParameters,
  resultsOf,
  sequenceMask,
  stateNote,
} from "./recurrent.ts";
import { type CellActivations, cellActivations } from "./recurrent-cells.ts";
import { readSteps } from "./steps.ts";

interface ConvLstmOptions {
  readonly filters: number;
  readonly kernel: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
  readonly isSame: boolean;
  readonly bias: boolean;
  readonly activations: CellActivations;
  readonly layout: Layout;
}

/**
 * [N, T, …, C] → [N, T, …, filters] or the last of it, and states [N, …, filters]. Weights kernel [4 · filters, C, …kernel],
 * recurrent_kernel [4 · filters, filters, …kernel], bias [4 · filters], of the gates i, f, c, o.
 */
class ConvLstm extends CallLayer {
  override readonly kind = "recurrent";
  readonly #options: ConvLstmOptions;
  readonly #reading: ReadingFields;
  constructor(options: ConvLstmOptions, reading: ReadingFields) {
    super();
    this.#options = options;
    this.#reading = reading;
  }

  protected call(call: LayerCall, context: Context): OneOrMore {
    const reading = readingOf(call, this.#reading);
    const { kernel, layout: own } = this.#options;
    const { x } = reading;
    if (x.rank !== kernel.length + 3)
      throw new ShapeError(
        `input ${showShape(x.shape)} has rank ${x.rank}, expected ${kernel.length + 3}: batch, steps, channels and ${kernel.length} between`,
      );
    const { outputs, states } = this.#read(reading, context);
    const perStep = (sequence: Value): Value => {
      const [batch = 1, steps = 1, ...rest] = sequence.shape;
      const moved = own.back(reshape(sequence, [batch * steps, ...rest]));
      return reshape(moved, [batch, steps, ...moved.shape.slice(1)]);
    };
    const moved: Read = { outputs: perStep(outputs), states: states.map((state) => own.back(state)) };
    return resultsOf(moved, reading, this.#reading);
  }

  /** Outputs [N, T, filters, …] and states [N, filters, …]. */
  #read({ x, states, ...rest }: ReturnType<typeof readingOf>, context: Context): Read {
    const { filters, kernel, strides, dilations, isSame, bias, activations, layout: own } = this.#options;
    const [batch = 1, steps = 1, ...sample] = x.shape;
    const images = own.into(reshape(x, [batch * steps, ...sample])); // [N · T, C, …]
    const weight = (name: string, channels: number) =>
      context.parameter(this, name, { shape: [4 * filters, channels, ...kernel], initializer: glorotUniform });
    const window = { kernel, strides, dilations, spatial: images.shape.slice(2) };
    const sums = conv(images, weight("kernel", images.shape[1] ?? 1), {
      strides,
      dilations,
      padding: resolvePadding(isSame ? "same" : 0, window),
      ...(bias && { bias: context.parameter(this, "bias", { shape: [4 * filters], initializer: zerosInit }) }),
    });
    const fromInput = reshape(sums, [batch, steps, ...sums.shape.slice(1)]);
    const recurrent = weight("recurrent_kernel", filters);
    const ones = kernel.map(() => 1);
    const spatial = sums.shape.slice(2);
    const around = resolvePadding("same", { kernel, strides: ones, dilations: ones, spatial });
    const none = expand(zeros([], x.dtype), [1, filters, ...spatial]); // for every sample
    const { gate, candidate } = activations;
    return readSteps(
      (input, [h, c]) => {
        const all = add(input, conv(h as Value, recurrent, { padding: around }));
        const [i, f, g, o] = split(all, [filters, filters, filters, filters] as const, 1);
        const memory = add(mul(gate(f, 1), c as Value), mul(gate(i, 1), candidate(g, 1)));
        return [mul(gate(o, 1), candidate(memory, 1)), memory];
      },
      { ...rest, x: fromInput, states: states.length > 0 ? states.map((state) => own.into(state)) : [none, none] },
    );
  }
}

class ConvLstm1d extends ConvLstm {}
class ConvLstm2d extends ConvLstm {}
class ConvLstm3d extends ConvLstm {}

function convLstm(Kind: typeof ConvLstm, rank: number): LayerClass {
  const ones = new Array<number>(rank).fill(1);
  const schema = z.object({
    ...readingFields.shape,
    filters: count(),
    kernel_size: extents(rank),
    strides: extents(rank).default(ones),
    dilation_rate: extents(rank).default(ones),
    padding,
    data_format: layout,
    use_bias: toggle(true),
    activation: z.unknown().optional(),
    recurrent_activation: z.unknown().optional(),
  });
  return defineLayer(
    schema,
    (fields, { keras }) => {
      const options: ConvLstmOptions = {
        filters: fields.filters,
        kernel: fields.kernel_size,
        strides: fields.strides,
        dilations: fields.dilation_rate,
        isSame: fields.padding === "same",
        bias: fields.use_bias,
        activations: cellActivations(fields, keras),
        layout: fields.data_format,
      };
      const stored = (name: string): StoredAs => ({ ...kernelOf(rank), name, part: "cell" });
      return {
        module: new Kind(options, fields),
        weights: {
          kernel: stored("kernel"),
          recurrent_kernel: stored("recurrent_kernel"),
          bias: { name: "bias", part: "cell" },
        },
        masks: sequenceMask(fields),
        ...(fields.stateful && { note: stateNote }),
      };
    },
    recurrentParameters,
  );
}

export const convLstmClasses: LayerClasses = {
  ConvLSTM1D: convLstm(ConvLstm1d, 1),
  ConvLSTM2D: convLstm(ConvLstm2d, 2),
  ConvLSTM3D: convLstm(ConvLstm3d, 3),
};
