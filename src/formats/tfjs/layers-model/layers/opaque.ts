/** A layer that is not understood, or stands behind one: it is named, and owns the weights that the file lists under its name. */
import { ShapeError } from "../../../../core/errors.ts";
import type { Shape } from "../../../../core/shape.ts";
import { makeNode } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import { type Context, type LayerKind, zerosInit } from "../../../../nn/index.ts";
import { MatMul } from "../../../../ops/index.ts";
import type { LayerCall } from "../calls.ts";
import { CallLayer, type OneOrMore, oneOrMore } from "../layer.ts";
import { unknownResults } from "../unknown-results.ts";

/** A weight of the file, by its name in the layer. */
export interface OpaqueWeight {
  readonly shape: Shape;
  /** No optimizer moves it, such as a running statistic. */
  readonly isBuffer: boolean;
}

export interface OpaqueOptions {
  readonly className: string;
  readonly weights: ReadonlyMap<string, OpaqueWeight>;
  /** How many values a call gives. */
  readonly results: number;
  readonly kind?: LayerKind;
  /** Of a known class it is known that it costs products, though not how many. */
  readonly contracts?: boolean;
  /** Told of each call. */
  readonly onCall?: () => void;
}

export class Opaque extends CallLayer {
  override readonly kind: LayerKind;
  readonly #options: OpaqueOptions;
  constructor(options: OpaqueOptions) {
    super();
    this.kind = options.kind ?? "other";
    this.#options = options;
  }
  /** Its results are taken to have the type of its first operand: nothing better is known. */
  protected call({ inputs: [x, ...others] }: LayerCall, context: Context): OneOrMore {
    if (!x) throw new ShapeError("it takes no tensor; connect a layer");
    const { className, weights, results, contracts, onCall } = this.#options;
    onCall?.();
    const own = Array.from(weights, ([name, { shape, isBuffer }]) =>
      isBuffer
        ? context.buffer(this, name, { shape, initializer: zerosInit })
        : context.parameter(this, name, { shape, initializer: zerosInit }),
    );
    const types = Array.from({ length: results }, () => x);
    const op = unknownOp(className, "keras", contracts ? MatMul : undefined, types);
    const { outputs } = makeNode(op, [x, ...others, ...own]);
    for (const output of outputs) unknownResults(context).add(output);
    return oneOrMore(outputs);
  }
}
