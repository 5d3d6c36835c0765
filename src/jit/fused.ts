/**
 * Elementwise graphs fused into one loop of WebAssembly SIMD, in place over long float32 vectors. ONNX Runtime would
 * pass over memory once an operator and copy every result; here each element is read and written once.
 */
import { InternalError, OptionError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { constantOf, graphOf, input, type Value } from "../graph/ir.ts";
import { code, kernelModule } from "./wasm-bytes.ts";

/** Elements whose sum is taken in float32 before it joins a float64 total. */
const block = 1 << 12;
/** Vectors begin and end at multiples of this many elements. */
export const vectorAlignment = 16;

export interface FusedGraph {
  /** Overwrites the vector of the same position; `undefined` leaves it alone. */
  readonly results: readonly (Value | undefined)[];
  /** An elementwise value whose sum over all elements is returned. */
  readonly sum?: Value;
}

/** A compiled loop over the elements `start` to `end` of its vectors. It allocates nothing. */
export type FusedKernel = (start: number, end: number, scalars: readonly number[]) => number;

/**
 * Compiles the graph that `build` makes from one element of each vector and the scalars.
 * Throws OptionError when it uses an operator that is not elementwise.
 * @param vectors views of `memory`, equally long, a multiple of 16 elements
 * @example
 * // x += 2 y
 * const kernel = fuse(memory, [x, y], 0, ([x, y]) => ({ results: [add(x, mul(y, 2)), undefined] }));
 * kernel(0, x.length, []);
 */
export function fuse(
  memory: WebAssembly.Memory,
  vectors: readonly Float32Array[],
  scalarCount: number,
  build: (elements: readonly Value[], scalars: readonly Value[]) => FusedGraph,
): FusedKernel {
  for (const vector of vectors)
    if (vector.buffer !== memory.buffer || vector.byteOffset % 16 !== 0 || vector.length % vectorAlignment !== 0)
      throw new InternalError("a fused loop needs aligned vectors in its own memory");
  const elements = vectors.map((_, i) => input("float32", [4], `vector_${i}`));
  const scalars = Array.from({ length: scalarCount }, (_, i) => input("float32", [], `scalar_${i}`));
  const bytes = kernelModule(generate(elements, scalars, build(elements, scalars)));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const run = instance.exports.run as (...args: number[]) => number;
  const bases = vectors.map(({ byteOffset }) => byteOffset);
  const args = new Array<number>(vectors.length + 1 + scalarCount);
  return (start, end, values) => {
    for (let i = 0; i < scalarCount; i++) args[vectors.length + 1 + i] = values[i] ?? 0;
    let total = 0;
    for (let from = start; from < end; from += block) {
      for (let i = 0; i < bases.length; i++) args[i] = (bases[i] as number) + 4 * from;
      args[vectors.length] = 4 * (Math.min(from + block, end) - from);
      total += run(...args);
    }
    return total;
  };
}

/** The loop: load every vector that is read, compute each node into a local, store the results. */
function generate(elements: readonly Value[], scalars: readonly Value[], { results, sum }: FusedGraph) {
  const outputs = [...results.filter((value) => value !== undefined), ...(sum ? [sum] : [])];
  const { nodes } = graphOf([...elements, ...scalars], outputs);
  const count = elements.length + 1 + scalars.length;
  const locals = new Map<Value, number>();
  const localOf = (value: Value) => {
    const local = locals.get(value) ?? count + locals.size;
    locals.set(value, local);
    return local;
  };
  const known = (value: Value | undefined) => {
    const local = value && locals.get(value);
    if (local === undefined) throw new InternalError("a fused loop reads a value that nothing computes");
    return local;
  };
  const before: number[] = [];
  const inside: number[] = [];
  for (const [i, scalar] of scalars.entries())
    before.push(...code.localGet(elements.length + 1 + i), ...code.splat, ...code.localSet(localOf(scalar)));
  for (const element of elements) localOf(element);
  for (const node of nodes) {
    const [output] = node.outputs;
    const tensor = constantOf(output);
    if (tensor && size(tensor.shape) === 1) {
      before.push(...code.f32Const(Number(tensor.data[0])), ...code.splat, ...code.localSet(localOf(output)));
      continue;
    }
    const { simd } = node.op;
    if (simd === undefined)
      throw new OptionError(
        `${node.op.type} cannot be fused into an elementwise loop; use + - * /, sqrt, min, max, abs`,
      );
    for (const operand of node.inputs) inside.push(...code.localGet(known(operand)));
    inside.push(...code.simd(simd), ...code.localSet(localOf(output)));
  }
  const accumulator = count + locals.size;
  const position = accumulator + 1;
  const address = (i: number) => [...code.localGet(i), ...code.localGet(position), ...code.i32Add];
  const used = new Set([...outputs, ...nodes.flatMap((node) => node.inputs)]);
  const loads = elements.flatMap((element, i) =>
    used.has(element) ? [...address(i), ...code.vectorLoad, ...code.localSet(known(element))] : [],
  );
  const stores = results.flatMap((result, i) =>
    result ? [...address(i), ...code.localGet(known(result)), ...code.vectorStore] : [],
  );
  const sums = sum
    ? [...code.localGet(accumulator), ...code.localGet(known(sum)), ...code.simd("add"), ...code.localSet(accumulator)]
    : [];
  const advance = [...code.localGet(position), ...code.i32Const(16), ...code.i32Add, ...code.localSet(position)];
  const again = [
    ...code.localGet(position),
    ...code.localGet(elements.length),
    ...code.i32LessThanUnsigned,
    ...code.branchIf(0),
  ];
  const lanes = [0, 1, 2, 3].flatMap((lane) => [
    ...code.localGet(accumulator),
    ...code.lane(lane),
    ...(lane > 0 ? code.f32Add : []),
  ]);
  return {
    addresses: elements.length,
    scalars: scalars.length,
    vectorLocals: locals.size + 1,
    body: [
      ...before,
      ...code.loop,
      ...loads,
      ...inside,
      ...stores,
      ...sums,
      ...advance,
      ...again,
      ...code.end,
      ...lanes,
    ],
  };
}
