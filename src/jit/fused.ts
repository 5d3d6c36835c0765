/**
 * Elementwise graphs fused into one loop of WebAssembly SIMD, in place over long float32 vectors. ONNX Runtime would
 * pass over memory once an operator and copy every result; here each element is read and written once.
 */
import { InternalError, OptionError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { constantOf, graphOf, input, type Value } from "../graph/ir.ts";
import { bySegments, instantiate, type LoopMemory, type RunLoop } from "../runtime/loops.ts";
import { code as instructions, kernelModule } from "./wasm-bytes.ts";

/** Vectors begin and end at multiples of this many elements. */
export const vectorAlignment = 16;

export interface FusedGraph {
  /** Overwrites the vector of the same position; `undefined` leaves it alone. */
  readonly results: readonly (Value | undefined)[];
  /** An elementwise value whose sum over all elements is returned. */
  readonly sum?: Value;
}

/** A compiled loop over the elements `start` to `end` of its vectors. */
export type FusedKernel = RunLoop;

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
  { memory, buffer, shared }: LoopMemory,
  vectors: readonly Float32Array[],
  scalarCount: number,
  build: (elements: readonly Value[], scalars: readonly Value[]) => FusedGraph,
): FusedKernel {
  for (const vector of vectors)
    if (vector.buffer !== buffer || vector.byteOffset % 16 !== 0 || vector.length % vectorAlignment !== 0)
      throw new InternalError("a fused loop needs aligned vectors in its own memory");
  const elements = vectors.map((_, i) => input("float32", [4], `vector_${i}`));
  const scalars = Array.from({ length: scalarCount }, (_, i) => input("float32", [], `scalar_${i}`));
  const bytes = kernelModule(generate(elements, scalars, build(elements, scalars)), shared?.pages);
  const code = { module: new WebAssembly.Module(bytes), bases: vectors.map(({ byteOffset }) => byteOffset) };
  return shared ? shared.team.loop(code) : bySegments(instantiate(code, memory));
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
    before.push(
      ...instructions.localGet(elements.length + 1 + i),
      ...instructions.splat,
      ...instructions.localSet(localOf(scalar)),
    );
  for (const element of elements) localOf(element);
  for (const node of nodes) {
    const [output] = node.outputs;
    const tensor = constantOf(output);
    if (tensor && size(tensor.shape) === 1) {
      before.push(
        ...instructions.f32Const(Number(tensor.data[0])),
        ...instructions.splat,
        ...instructions.localSet(localOf(output)),
      );
      continue;
    }
    const { simd } = node.op;
    if (simd === undefined)
      throw new OptionError(
        `${node.op.type} cannot be fused into an elementwise loop; use + - * /, sqrt, min, max, abs`,
      );
    for (const operand of node.inputs) inside.push(...instructions.localGet(known(operand)));
    inside.push(...instructions.simd(simd), ...instructions.localSet(localOf(output)));
  }
  const accumulator = count + locals.size;
  const position = accumulator + 1;
  const address = (i: number) => [
    ...instructions.localGet(i),
    ...instructions.localGet(position),
    ...instructions.i32Add,
  ];
  const used = new Set([...outputs, ...nodes.flatMap((node) => node.inputs)]);
  const loads = elements.flatMap((element, i) =>
    used.has(element) ? [...address(i), ...instructions.vectorLoad, ...instructions.localSet(known(element))] : [],
  );
  const stores = results.flatMap((result, i) =>
    result ? [...address(i), ...instructions.localGet(known(result)), ...instructions.vectorStore] : [],
  );
  const sums = sum
    ? [
        ...instructions.localGet(accumulator),
        ...instructions.localGet(known(sum)),
        ...instructions.simd("add"),
        ...instructions.localSet(accumulator),
      ]
    : [];
  const advance = [
    ...instructions.localGet(position),
    ...instructions.i32Const(16),
    ...instructions.i32Add,
    ...instructions.localSet(position),
  ];
  const again = [
    ...instructions.localGet(position),
    ...instructions.localGet(elements.length),
    ...instructions.i32LessThanUnsigned,
    ...instructions.branchIf(0),
  ];
  const lanes = [0, 1, 2, 3].flatMap((lane) => [
    ...instructions.localGet(accumulator),
    ...instructions.lane(lane),
    ...(lane > 0 ? instructions.f32Add : []),
  ]);
  return {
    addresses: elements.length,
    scalars: scalars.length,
    vectorLocals: locals.size + 1,
    body: [
      ...before,
      ...instructions.loop,
      ...loads,
      ...inside,
      ...stores,
      ...sums,
      ...advance,
      ...again,
      ...instructions.end,
      ...lanes,
    ],
  };
}
