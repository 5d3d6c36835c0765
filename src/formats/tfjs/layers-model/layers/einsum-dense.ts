/** Keras's dense layer over any axes, which an equation names. */
import * as z from "zod";
import { FileError, ShapeError } from "../../../../core/errors.ts";
import { type Shape, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type Context, glorotUniform, Module, zerosInit } from "../../../../nn/index.ts";
import { add, einsum } from "../../../../ops/index.ts";
import type { KerasActivation } from "../activations.ts";
import { activation } from "../config.ts";
import { defineLayer, type LayerClasses } from "../layer.ts";

interface Equation {
  /** Letters of the input, of the kernel and of the output; the ellipsis of the first and the last is "…". */
  readonly input: string;
  readonly kernel: string;
  readonly output: string;
}

interface EinsumOptions extends Equation {
  /** Extents of the output but the batch; `null` for those of the input. */
  readonly shape: readonly (number | null)[];
  /** Letters of the output that the bias has; none without a bias. */
  readonly biasAxes: string;
  readonly activation: KerasActivation;
}

/** y = f(einsum(x, kernel) + bias); kernel and bias have an axis for each letter that the equation gives them. */
class EinsumDense extends Module {
  override readonly kind = "dense";
  readonly #options: EinsumOptions;
  constructor(options: EinsumOptions) {
    super();
    this.#options = options;
  }
  protected call(x: Value, context: Context): Value {
    const { kernel, biasAxes, activation: apply } = this.#options;
    const { input, output } = spelledOut(this.#options, x);
    const extents = new Map([...input].map((letter, axis) => [letter, x.shape[axis] ?? 1]));
    // What the kernel adds is in the shape of the output, which an ellipsis leaves out on its side.
    const { shape } = this.#options;
    const isLeft = this.#options.output.startsWith("…") || !this.#options.output.includes("…");
    for (const [i, letter] of [...output].entries()) {
      const own = isLeft ? shape[shape.length - (output.length - i)] : shape[i - 1];
      if (!extents.has(letter) && typeof own === "number") extents.set(letter, own);
    }
    const extentsOf = (letters: string): Shape => [...letters].map((letter) => extents.get(letter) ?? 1);
    const w = context.parameter(this, "weight", { shape: extentsOf(kernel), initializer: glorotUniform });
    const y = einsum(`${input},${kernel}->${output}`, x, w);
    if (biasAxes === "") return apply(y, -1);
    const begin = Math.min(...[...biasAxes].map((letter) => output.indexOf(letter)));
    const along = [...output.slice(Math.max(0, begin))].map((letter) =>
      biasAxes.includes(letter) ? (extents.get(letter) ?? 1) : 1,
    );
    return apply(add(y, context.parameter(this, "bias", { shape: along, initializer: zerosInit })), -1);
  }
}

/** The equation with a letter for each axis of x that its ellipsis stands for. Throws ShapeError for fewer axes than it names. */
function spelledOut({ input, kernel, output }: Equation, x: Value): Equation {
  const named = input.replace("…", "").length;
  const rest = input.includes("…") ? x.rank - named : 0;
  if (x.rank !== named + rest || rest < 0)
    throw new ShapeError(`input ${showShape(x.shape)} has rank ${x.rank}, expected the ${named} axes of "${input}"`);
  const taken = new Set([...input, ...kernel, ...output]);
  const letters = [..."abcdefghijklmnopqrstuvwxyz"]
    .filter((letter) => !taken.has(letter))
    .slice(0, rest)
    .join("");
  return { input: input.replace("…", letters), kernel, output: output.replace("…", letters) };
}

function equationOf(text: string): Equation {
  const [, input, kernel, output] =
    /^([a-z…]+),([a-z]+)->([a-z…]+)$/.exec(text.replaceAll(" ", "").replaceAll("...", "…")) ?? [];
  if (input === undefined || kernel === undefined || output === undefined)
    throw new FileError(
      `tfjs: the equation of an EinsumDense is "${text}", expected one such as ab,bc->ac; convert the model again`,
    );
  return { input, kernel, output };
}

const extent = z.int().min(1).nullable();

export const einsumClasses: LayerClasses = {
  EinsumDense: defineLayer(
    z.object({
      equation: z.string(),
      output_shape: z.union([extent.transform((own) => [own]), z.array(extent)]),
      bias_axes: z.string().nullish(),
      activation,
    }),
    ({ equation, output_shape, bias_axes, activation: own }, { keras }) => ({
      module: new EinsumDense({
        ...equationOf(equation),
        shape: output_shape,
        biasAxes: bias_axes ?? "",
        activation: own(keras),
      }),
      weights: { weight: { name: "kernel" }, bias: { name: "bias" } },
    }),
  ),
};
