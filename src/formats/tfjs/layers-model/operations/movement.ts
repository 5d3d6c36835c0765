/** Functions that move elements, join tensors and take parts of them. */
import { UnsupportedError } from "../../../../core/errors.ts";
import { normalizeAxis } from "../../../../core/shape.ts";
import { isPlainObject } from "../../../../core/tree.ts";
import { Value } from "../../../../graph/ir.ts";
import * as ops from "../../../../ops/index.ts";
import { shown } from "../../../config-fields.ts";
import { type Entry, sliced } from "../../graph-model/operators/strided-slice.ts";
import { resized } from "../layers/resizing.ts";
import type { Given, Operation, Operations } from "./operation.ts";

const moving = (
  parameters: readonly string[],
  compute: (x: Value, given: Given) => Value | readonly Value[],
): Operation => ({
  parameters,
  kind: "reshape",
  compute: (given) => compute(given.value(parameters[0] ?? "x"), given),
});

const joining = (join: (values: readonly Value[], axis: number) => Value, standard: number): Operation => ({
  parameters: ["x", "axis"],
  kind: "reshape",
  compute: (given) => join(given.values("x"), (given.integers("axis") ?? [standard])[0] ?? standard),
});

/** An entry of brackets: a place, a slice, a new axis, or what stands for all the axes between. */
function entryOf(item: unknown): Entry {
  const plain = { begin: undefined, end: undefined, stride: 1, isEllipsis: false, isNew: false, isIndex: false };
  if (item === null) return { ...plain, isNew: true };
  if (typeof item === "number") return { ...plain, begin: item, isIndex: true };
  if (isPlainObject(item) && item["class_name"] === "__ellipsis__") return { ...plain, isEllipsis: true };
  const slice = isPlainObject(item) && isPlainObject(item["slice"]) ? item["slice"] : item;
  if (!isPlainObject(slice) || !("start" in slice || "stop" in slice))
    throw new UnsupportedError(`it takes parts by ${item instanceof Value ? "a tensor" : shown(item)}`);
  const bound = (name: string) => {
    const value = slice[name];
    if (value === null || value === undefined) return undefined;
    if (typeof value === "number") return value;
    throw new UnsupportedError(`it slices by ${value instanceof Value ? "a tensor" : shown(value)}`);
  };
  return { ...plain, begin: bound("start"), end: bound("stop"), stride: bound("step") ?? 1 };
}

/** Parts along an axis, of which each begins where the one before it ends. */
function partsAt(x: Value, ends: readonly number[], axis: number): readonly Value[] {
  const extent = x.shape[axis] ?? 0;
  const bounds = [0, ...ends.map((end) => Math.min(extent, end < 0 ? end + extent : end)), extent];
  return ops.split(
    x,
    bounds.slice(1).map((end, i) => end - (bounds[i] ?? 0)),
    axis,
  );
}

const equalParts = (x: Value, count: number, axis: number): readonly Value[] => {
  const extent = x.shape[axis] ?? 0;
  return partsAt(
    x,
    Array.from({ length: count - 1 }, (_, i) => ((i + 1) * extent) / count),
    axis,
  );
};

/** Axes in another order: some moved to places of theirs, the others as they were. */
function moved(rank: number, from: readonly number[], to: readonly number[]): readonly number[] {
  const [sources, places] = [from, to].map((axes) => axes.map((axis) => normalizeAxis(axis, rank))) as [
    number[],
    number[],
  ];
  const rest = Array.from({ length: rank }, (_, i) => i).filter((axis) => !sources.includes(axis));
  return Array.from({ length: rank }, (_, i) => {
    const at = places.indexOf(i);
    return at >= 0 ? (sources[at] as number) : (rest.shift() as number);
  });
}

export const movement: Operations = {
  identity: moving(["x"], (x) => x),
  copy: moving(["x"], (x) => x),
  convert_to_tensor: moving(["x"], (x) => x),
  cast: moving(["x", "dtype"], (x, given) => ops.cast(x, given.dtype("dtype"))),
  reshape: moving(["x", "newshape"], (x, given) => ops.reshape(x, given.integers("newshape") ?? [-1])),
  ravel: moving(["x"], (x) => ops.reshape(x, [-1])),
  transpose: moving(["x", "axes"], (x, given) => ops.transpose(x, given.integers("axes"))),
  swapaxes: moving(["x", "axis1", "axis2"], (x, given) =>
    ops.swapAxes(x, given.number("axis1"), given.number("axis2")),
  ),
  moveaxis: moving(["x", "source", "destination"], (x, given) =>
    ops.transpose(x, moved(x.rank, given.integers("source") ?? [], given.integers("destination") ?? [])),
  ),
  expand_dims: moving(["x", "axis"], (x, given) => {
    const axes = given.integers("axis") ?? [0];
    return ops.unsqueeze(
      x,
      axes.map((axis) => normalizeAxis(axis, x.rank + axes.length)),
    );
  }),
  squeeze: moving(["x", "axis"], (x, given) => {
    const ones = x.shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []));
    return ops.squeeze(x, given.integers("axis") ?? ones);
  }),
  flip: moving(["x", "axis"], (x, given) =>
    (given.integers("axis") ?? [...x.shape.keys()]).reduce((y, axis) => ops.flip(y, axis), x),
  ),
  tile: moving(["x", "repeats"], (x, given) => ops.tile(x, given.integers("repeats") ?? [])),
  // Each element several times, one beside the other.
  repeat: moving(["x", "repeats", "axis"], (x, given) => {
    const [count = 1, ...more] = given.integers("repeats") ?? [];
    const [own] = given.integers("axis") ?? [];
    if (more.length > 0 || own === undefined)
      throw new UnsupportedError("it repeats elements unevenly, or of all axes as one");
    const axis = normalizeAxis(own, x.rank);
    const apart = ops.expand(ops.unsqueeze(x, [axis + 1]), x.shape.toSpliced(axis + 1, 0, count));
    return ops.reshape(apart, x.shape.with(axis, (x.shape[axis] ?? 1) * count));
  }),
  broadcast_to: moving(["x", "shape"], (x, given) => ops.expand(x, given.integers("shape") ?? x.shape)),
  zeros_like: moving(["x"], (x) => ops.mul(x, 0)),
  ones_like: moving(["x"], (x) => ops.add(ops.mul(x, 0), 1)),
  pad: moving(["x", "pad_width", "mode"], (x, given) => {
    const flat = given.integers("pad_width") ?? [];
    const mode = String(given.raw("mode") ?? "constant").toLowerCase();
    if (mode !== "constant" || flat.length !== 2 * x.rank)
      throw new UnsupportedError(`it pads ${x.rank} axes by ${flat.length} numbers in mode ${mode}`);
    const widths = x.shape.map((_, axis) => [flat[2 * axis] ?? 0, flat[2 * axis + 1] ?? 0]);
    return ops.pad(x, widths, given.number("constant_values", 0));
  }),
  take: moving(["x", "indices", "axis"], (x, given) => {
    const [axis] = given.integers("axis") ?? [];
    const indices = ops.cast(given.value("indices"), "int64");
    return axis === undefined
      ? ops.gather(ops.reshape(x, [-1]), indices)
      : ops.gather(x, indices, normalizeAxis(axis, x.rank));
  }),
  get_item: moving(["x", "key"], (x, given) => {
    const key = given.raw("key");
    return sliced(x, (Array.isArray(key) ? key : [key]).map(entryOf));
  }),
  split: moving(["x", "indices_or_sections", "axis"], (x, given) => {
    const axis = normalizeAxis((given.integers("axis") ?? [0])[0] ?? 0, x.rank);
    const sections = given.raw("indices_or_sections");
    return typeof sections === "number"
      ? equalParts(x, sections, axis)
      : partsAt(x, given.integers("indices_or_sections") ?? [], axis);
  }),
  // As TensorFlow has it: how many parts, or the length of each.
  split_sizes: moving(["x", "sizes", "axis"], (x, given) => {
    const axis = normalizeAxis((given.integers("axis") ?? [0])[0] ?? 0, x.rank);
    const sizes = given.raw("sizes");
    return typeof sizes === "number" ? equalParts(x, sizes, axis) : ops.split(x, given.integers("sizes") ?? [], axis);
  }),
  unstack: moving(["x", "num", "axis"], (x, given) => {
    const axis = normalizeAxis((given.integers("axis") ?? [0])[0] ?? 0, x.rank);
    return equalParts(x, x.shape[axis] ?? 1, axis).map((part) => ops.squeeze(part, [axis]));
  }),
  concatenate: joining((values, axis) => ops.concat(values, normalizeAxis(axis, values[0]?.rank ?? 0)), 0),
  stack: joining((values, axis) => ops.stack(values, normalizeAxis(axis, (values[0]?.rank ?? 0) + 1)), 0),
  einsum: {
    parameters: ["x", "x2", "x3"],
    kind: "arithmetic",
    compute: (given) => {
      const operands = ["x", "x2", "x3"].flatMap((name) => (given.raw(name) === undefined ? [] : given.values(name)));
      return ops.einsum(String(given.raw("subscripts")), ...operands);
    },
  },
  one_hot: moving(["x", "num_classes"], (x, given) => ops.oneHot(ops.cast(x, "int64"), given.number("num_classes"))),
  resize: moving(["x", "size"], (x, given) => {
    const [height = 1, width = 1] = given.integers("size") ?? [];
    return resized(x, [height, width], String(given.raw("interpolation") ?? "bilinear"));
  }),
};
