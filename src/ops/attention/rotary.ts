/** Positions as turns of pairs of features (Su et al. 2021, RoFormer): the operators of ONNX and of ONNX Runtime. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { add, mul, sub } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { concat, reshape, stack } from "../movement.ts";
import { defineComposition } from "../reading.ts";
import { slice } from "../slicing.ts";
import { range } from "../static-values.ts";
import { joinHeads, splitHeads } from "./heads.ts";

/**
 * x [N, heads, T, width] with its first features turned by angles whose cosines and sines are [N or 1, T, turned / 2]. Pairs are
 * neighbours where they are interleaved, else a feature and the one half of the turned features further.
 */
export function turned(op: string, x: Value, cosines: Value, sines: Value, isInterleaved: boolean): Value {
  const half = cosines.shape.at(-1) ?? 0;
  const [, , time = 1, width = 0] = x.shape;
  if (
    cosines.rank !== 3 ||
    cosines.shape[1] !== time ||
    2 * half > width ||
    String(cosines.shape) !== String(sines.shape)
  )
    throw new ShapeError(
      `${op}: cosines ${showShape(cosines.shape)} and sines ${showShape(sines.shape)} do not fit ${showShape(x.shape)}; there must be one for each of ${time} positions and each pair of features`,
    );
  const [cos, sin] = [cosines, sines].map((table) => reshape(table, [table.shape[0] ?? 1, 1, time, half])) as [
    Value,
    Value,
  ];
  const part = (from: number, to: number) => slice(x, { axis: 3, start: from, end: to });
  const pairs = isInterleaved ? reshape(part(0, 2 * half), [...x.shape.slice(0, 3), half, 2]) : undefined;
  const of = (index: number): Value =>
    pairs
      ? reshape(slice(pairs, { axis: 4, start: index, end: index + 1 }), [...x.shape.slice(0, 3), half])
      : part(index * half, (index + 1) * half);
  const [a, b] = [of(0), of(1)];
  const [real, imaginary] = [sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))];
  const both = isInterleaved
    ? reshape(stack([real, imaginary], 4), [...x.shape.slice(0, 3), 2 * half])
    : concat([real, imaginary], 3);
  return 2 * half === width ? both : concat([both, part(2 * half, width)], 3);
}

interface Rotation {
  readonly interleaved?: number;
  readonly num_heads?: number;
  readonly rotary_embedding_dim?: number;
}

/** x as [N, heads, T, width] or [N, T, heads · width], turned, in the form in which it came. */
function turnedAsIs(op: string, x: Value, cosines: Value, sines: Value, attributes: Rotation): Value {
  const { interleaved = 0, num_heads = 0, rotary_embedding_dim = 0 } = attributes;
  const half = rotary_embedding_dim > 0 ? rotary_embedding_dim / 2 : (cosines.shape.at(-1) ?? 0);
  const used = (table: Value) => slice(table, { axis: -1, end: half });
  const turn = (own: Value) => turned(op, own, used(cosines), used(sines), interleaved === 1);
  if (x.rank === 4) return turn(x);
  const heads = num_heads > 0 ? num_heads : (x.shape.at(-1) ?? 0) / (2 * (cosines.shape.at(-1) ?? 1));
  return joinHeads(turn(splitHeads(op, x, heads)));
}

const schema = { interleaved: "int", num_heads: "int", rotary_embedding_dim: "int" } as const;

/** x, cosines and sines: [positions, width / 2] for the positions that follow, else [N, T, width / 2]. */
export const RotaryEmbedding: OpDef = defineComposition("RotaryEmbedding", {
  arity: "3-4",
  since: 23,
  attributes: schema,
  settings: [1, 2],
  build: ({ inputs: [x, cosines, sines, positions], attributes }) => {
    const at = (table: Value) => (positions ? gather(table, positions) : table);
    return [turnedAsIs("RotaryEmbedding", x, at(cosines), at(sines), attributes)];
  },
});

/** ONNX Runtime's: x, its positions [N, T] or the first of them, cosines and sines [positions, width / 2]. */
export const ContribRotaryEmbedding: OpDef = defineComposition("RotaryEmbedding", {
  domain: "com.microsoft",
  arity: "4",
  attributes: { ...schema, scale: "float", is_packed_batching: "int" },
  settings: [2, 3],
  build: ({ inputs: [x, positions, cosines, sines], attributes }) => {
    const { scale = 1, is_packed_batching = 0, ...rotation } = attributes;
    if (scale !== 1 || is_packed_batching !== 0)
      throw new UnsupportedError("RotaryEmbedding: scale and packed batches are not computed by ONNX Runtime either");
    const time = x.shape[x.rank === 4 ? 2 : 1] ?? 1;
    const isOne = size(positions.shape) === 1 && positions.rank < 2;
    const places = isOne ? reshape(add(range(time), cast(reshape(positions, []), "int64")), [1, time]) : positions;
    return [turnedAsIs("RotaryEmbedding", x, gather(cosines, places), gather(sines, places), rotation)];
  },
});
