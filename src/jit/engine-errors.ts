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

type Meaning = readonly [said: RegExp, meaning: (node: Node | undefined, said: RegExpExecArray) => SardonyxError];

/** What it says of a node, and what that means. */
const always: readonly Meaning[] = [
  // Said by the backend itself, with what to do.
  [/^the graphics card was lost.*/s, (_, [said]) => new RuntimeError(said)],
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
];

/** The same while a graph runs, where it is of what it was given. */
const ofInputs: readonly Meaning[] = [
  [
    /idx=(-?\d+) must be within the inclusive range \[(-?\d+),(-?\d+)\]/,
    (node, [, index, low, high]) => outside(node, `: ${index}, where ${low} to ${high} are possible`),
  ],
  [/invalid index[^\d-]*(-?\d+)/i, (node, [, index]) => outside(node, `: ${index}`)],
  [/out of (?:data )?(?:bounds|range)/i, (node) => outside(node, "")],
  [
    /divi(?:de|sion) by zero/i,
    (node) => new DataError(`${placeOf(node)}whole numbers were divided by zero; check the data`),
  ],
];

const outside = (node: Node | undefined, which: string): DataError =>
  new DataError(
    `${placeOf(node)}${node?.op.type ?? "an operator"} was given an index outside of what it picks from${which}; check the ids and positions in the data`,
  );

const placeOf = (node: Node | undefined): string => (node?.scope ? `${node.scope.path}: ` : "");

/** The error of a session, in our words; as a defect of ours where it is of no kind that is known. */
export function engineError(error: unknown, doing: "compiling" | "running", { nodes }: Graph): unknown {
  if (!(error instanceof RuntimeError)) return error;
  // As the engine said it: the message of an error of ours may be cut.
  const text = error.cause instanceof Error ? error.cause.message : error.message;
  const index = places.map((place) => place.exec(text)?.[1]).find((found) => found !== undefined);
  const node = index === undefined ? undefined : nodes[Number(index)];
  for (const [said, meaning] of doing === "running" ? [...always, ...ofInputs] : always) {
    const found = said.exec(text);
    if (found) return Object.assign(meaning(node, found), { cause: error });
  }
  const what = node ? `${placeOf(node)}${node.op.type}` : "a graph";
  return Object.assign(new InternalError(`ONNX Runtime refused ${what} when ${doing} it: ${error.message}`), {
    cause: error,
  });
}
