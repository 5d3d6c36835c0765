/** A block of a transformer: attention and a feed-forward network, each added to what it takes. */
import type { Value } from "../../graph/ir.ts";
import { type Context, Module, type TensorModule } from "../../nn/index.ts";
import { add } from "../../ops/index.ts";
import { type TokenInputs, tokenInputs } from "./tokens.ts";

/** One branch of a block: its parts, and where it is normalized. */
export interface Branch<Part> {
  readonly part: Part;
  /** Of what the part takes. */
  readonly before?: TensorModule | undefined;
  /** Of what the part gives, before it is added. */
  readonly after?: TensorModule | undefined;
  /** Of the sum. */
  readonly behind?: TensorModule | undefined;
}

/** How a block computes. */
export interface BlockForm {
  readonly attention: Branch<Module<TokenInputs>>;
  readonly network: Branch<readonly TensorModule[]>;
  /** Both branches take the block's input, and one sum is made of both (Wang and Komatsuzaki 2021); default false. */
  readonly parallel?: boolean;
  /** One after the other, they are added to what they take, normalized, rather than to the block's input; default false. */
  readonly normalizedSums?: boolean | undefined;
}

/** Attention and a feed-forward network, each added to what it takes; parts under their published names. */
export class TransformerBlock extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly #form: BlockForm;
  constructor(parts: Readonly<Record<string, object | undefined>>, form: BlockForm) {
    super();
    Object.assign(this, parts);
    this.#form = form;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { attention, network, parallel = false, normalizedSums = false } = this.#form;
    const through = (value: Value, layers: readonly (TensorModule | undefined)[]) =>
      layers.reduce((inner, layer) => (layer ? layer.apply(inner, context) : inner), value);
    const attend = (taken: Value) => through(attention.part.apply({ x: taken, mask }, context), [attention.after]);
    const compute = (taken: Value) => through(through(taken, network.part), [network.after]);
    const normal = through(x, [attention.before]);
    if (parallel) {
      const own = network.before === attention.before ? normal : through(x, [network.before]);
      return add(x, add(attend(normal), compute(own)));
    }
    const attended = through(add(normalizedSums ? normal : x, attend(normal)), [attention.behind]);
    const taken = through(attended, [network.before]);
    return through(add(normalizedSums ? taken : attended, compute(taken)), [network.behind]);
  }
}
