/** What ONNX Runtime says when it refuses a graph, in our words: where in the model, what was got, what to do. */
import { DataError, DTypeError, InternalError, RuntimeError, type SardonyxError } from "../core/errors.ts";
import type { Graph, Node } from "../graph/ir.ts";

/** Where it names a node; names end with the node's number (see `encodeModel`). */
const places = [
  /node with name '\S+_(\d+)'/,
  /of operator \(\w+\) in node \(\S+_(\d+)\)/,
  /while running \w+ node\. Name:'[^']*?_(\d+)'/,
  /Node \(\S+_(\d+)\)/,
];

/** What it says of a node, and what that means. */
const meanings: readonly (readonly [
  said: RegExp,
  meaning: (node: Node | undefined, said: RegExpExecArray) => SardonyxError,
])[] = [
  [
    /implementation for|Type Error: Type 'tensor\(\w+\)'/,
    (node) => {
      const dtypes = [...new Set(node?.inputs.flatMap((value) => value?.dtype ?? []) ?? [])].join(" and ");
      return new DTypeError(
        `${placeOf(node)}${node?.op.type ?? "an operator"} of ${dtypes || "its operands' type"} is not computed by ONNX Runtime; cast its operands first, as in cast(x, "float32")`,
      );
    },
  ],
  [
    /bad[_ ]alloc|Failed to allocate|out of memory|Array buffer allocation failed|memory access out of bounds/i,
    (node) =>
      new RuntimeError(
        `${placeOf(node)}there is not enough memory to compute this; take a smaller batch, shorter sequences or a smaller model, or a machine with more memory`,
      ),
  ],
  [
    /idx=(-?\d+) must be within the inclusive range \[(-?\d+),(-?\d+)\]|invalid index[^\d-]*(-?\d+)|out of (?:data )?(?:bounds|range)/i,
    (node, [, index, low, high, other]) => {
      const got = index ?? other;
      return new DataError(
        `${placeOf(node)}${node?.op.type ?? "an operator"} was given an index outside of what it picks from${got === undefined ? "" : `: ${got}`}${low === undefined ? "" : `, where ${low} to ${high} are possible`}; check the ids and positions in the data`,
      );
    },
  ],
  [
    /divi(?:de|sion) by zero/i,
    (node) => new DataError(`${placeOf(node)}whole numbers were divided by zero; check the data`),
  ],
];

const placeOf = (node: Node | undefined): string => (node?.scope ? `${node.scope.path}: ` : "");

/** The error of a session, in our words; as a defect of ours where it is of no kind that is known. */
export function engineError(error: unknown, doing: "compiling" | "running", { nodes }: Graph): unknown {
  if (!(error instanceof RuntimeError)) return error;
  const index = places.map((place) => place.exec(error.message)?.[1]).find((found) => found !== undefined);
  const node = index === undefined ? undefined : nodes[Number(index)];
  for (const [said, meaning] of meanings) {
    const found = said.exec(error.message);
    if (found) return Object.assign(meaning(node, found), { cause: error });
  }
  const what = node ? `${placeOf(node)}${node.op.type}` : "a graph";
  return Object.assign(new InternalError(`ONNX Runtime refused ${what} when ${doing} it: ${error.message}`), {
    cause: error,
  });
}
