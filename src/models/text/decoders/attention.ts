/** Causal self-attention as decoders publish it: projections by name, shared keys, rotations, norms and linear biases. */
import { tensor } from "../../../core/tensor.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type AttendOptions,
  attend,
  type Context,
  joinHeads,
  Module,
  type RotaryOptions,
  rotary,
  splitHeads,
  type TensorModule,
} from "../../../nn/index.ts";
import { cast, constant, mul, range, reshape, split, transpose } from "../../../ops/index.ts";
import { type TokenInputs, tokenInputs } from "../../shared/tokens.ts";

/** How the heads of a layer attend. */
export interface AttentionForm {
  readonly heads: number;
  /** Heads of keys and values; default as many. */
  readonly keyHeads?: number;
  /** The one projection gives for each head of keys its queries, the key and the value; default all queries, all keys, all values. */
  readonly grouped?: boolean;
  /** How positions turn queries and keys; default not at all. */
  readonly rotary?: RotaryOptions | undefined;
  /** Norms of the queries and of the keys of a head, before they are turned. */
  readonly norms?: Readonly<Record<string, TensorModule>> | undefined;
  /** Factor of the biases by distance (Press et al. 2022); default no biases. */
  readonly linearBias?: number | undefined;
  readonly attend?: Pick<AttendOptions, "scale" | "window" | "cap" | "dropout">;
}

/**
 * Attention of tokens to those before: [N, T, W] → [N, T, W].
 * @param projections layers that make queries, keys and values, or one that makes them all, by their published names
 * @param output the layer of what the heads found, by its name
 */
export class CausalAttention extends Module<TokenInputs> {
  override readonly kind = "attention";
  override readonly inputs = tokenInputs;
  readonly #projections: readonly TensorModule[];
  readonly #output: readonly TensorModule[];
  readonly #norms: readonly TensorModule[];
  readonly #form: AttentionForm;
  constructor(
    projections: Readonly<Record<string, TensorModule>>,
    output: Readonly<Record<string, TensorModule>>,
    form: AttentionForm,
  ) {
    super();
    Object.assign(this, projections, output, form.norms);
    this.#projections = Object.values(projections);
    this.#output = Object.values(output);
    this.#norms = Object.values(form.norms ?? {});
    this.#form = form;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { rotary: turning, heads, linearBias } = this.#form;
    const [queries, keys, v] = this.#heads(x, context);
    const [queryNorm, keyNorm] = this.#norms;
    const placed = turning && { ...turning, positions: context.positions(x.shape[1] ?? 1) };
    const prepared = (value: Value, norm: TensorModule | undefined) => {
      const normal = norm ? norm.apply(value, context) : value;
      return placed ? rotary(normal, placed) : normal;
    };
    const length = context.decoding?.capacity ?? x.shape[1] ?? 1;
    const bias = linearBias === undefined ? undefined : distanceBias(heads, length, linearBias);
    const options = { ...this.#form.attend, causal: true, mask, bias };
    const found = joinHeads(attend(prepared(queries, queryNorm), prepared(keys, keyNorm), v, options, context));
    return this.#output.reduce((value, layer) => layer.apply(value, context), found);
  }

  /** Queries [N, H, T, D], keys and values [N, Hkv, T, D]. */
  #heads(x: Value, context: Context): [Value, Value, Value] {
    const { heads, keyHeads = heads, grouped = false } = this.#form;
    const made = this.#projections.map((layer) => layer.apply(x, context));
    const counts = [heads, keyHeads, keyHeads];
    const [joint] = made as [Value];
    const width = (joint.shape[2] ?? 1) / (heads + 2 * keyHeads);
    if (made.length === 1 && grouped) return ungrouped(joint, keyHeads, heads / keyHeads, width);
    const parts = made.length === 1 ? split(joint, counts.map((count) => count * width), 2) : made; // biome-ignore format: one line
    return parts.map((part, i) => splitHeads(part, counts[i] as number)) as [Value, Value, Value];
  }
}

/** [N, T, groups · (queries + 2) · D] → queries [N, groups · queries, T, D], keys and values [N, groups, T, D]. */
function ungrouped(joint: Value, groups: number, queries: number, width: number): [Value, Value, Value] {
  const [batch = 1, time = 1] = joint.shape;
  const parts = split(reshape(joint, [batch, time, groups, queries + 2, width]), [queries, 1, 1], 3);
  const apart = (part: Value, own: number) =>
    transpose(reshape(part, [batch, time, groups * own, width]), [0, 2, 1, 3]);
  return parts.map((part, i) => apart(part, i === 0 ? queries : 1)) as [Value, Value, Value];
}

/**
 * A head's slope times the position of the key, [1, H, 1, S]: as slope times distance, since softmax sees differences alone
 * (Press et al. 2022, sec. 3).
 */
function distanceBias(heads: number, length: number, factor: number): Value {
  const slopes = constant(tensor(headSlopes(heads).map((slope) => slope * factor)));
  return mul(reshape(slopes, [1, heads, 1, 1]), cast(range(length), "float32"));
}

/** 2^(-8/n), 2^(-16/n), … for n heads where n is a power of 2; beyond the last such n, every second one of 2n (as released). */
export function headSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const slope = (n: number, i: number) => 2 ** ((-8 * i) / n);
  return Array.from({ length: heads }, (_, i) =>
    i < power ? slope(power, i + 1) : slope(2 * power, 2 * (i - power) + 1),
  );
}
