/** Recurrent operators over sequences, fused over their steps: RNN (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014). */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import {
  type Attributes,
  defineOp,
  type OpDef,
  requireFloat,
  requireSameDType,
  type SampleAxes,
  type SampledNode,
  type StoredNode,
} from "../../graph/op.ts";
import { transpose } from "../movement.ts";
import { storedNode, without } from "../reading.ts";
import { recurrentActivations } from "./activations.ts";
import { gruCell, lstmCell, rnnCell } from "./cells.ts";
import { type Cell, runGradient, runOtherFloats, runSampleGradients, runUnrolled } from "./steps.ts";

const schema = {
  hidden_size: "int",
  direction: "string",
  activations: "strings",
  activation_alpha: "floats",
  activation_beta: "floats",
  clip: "float",
} as const;

/** Operands: x, w, r, b, sequence_lens, initial_h, and for an LSTM initial_c. */
type Operands = readonly (Value | undefined)[];

/** Extents of an application: steps, batch, inputs, directions, hidden units. */
function extentsOf([x, w, r]: Operands) {
  const [steps = 0, batch = 0, inputs = 0] = x?.shape ?? [];
  return { steps, batch, inputs, directions: w?.shape[0] ?? 1, hidden: r?.shape[2] ?? 0 };
}

/** Throws unless every operand has the shape that x [T, N, I] and r [D, gates · H, H] ask for. */
function checkOperands(op: string, gates: number, operands: Operands, { direction, hidden_size }: Attributes): void {
  const [x, w, r, b, lengths, h, c, p] = operands;
  if (x?.rank !== 3) throw new ShapeError(`${op}: input is ${x && showShape(x.shape)}; pass [steps, batch, features]`);
  requireSameDType(op, requireFloat(op, x), w, r, b, h, c, p);
  const { batch, inputs, hidden } = extentsOf(operands);
  const directions = direction === "bidirectional" ? 2 : 1;
  if (hidden_size !== undefined && hidden_size !== hidden)
    throw new ShapeError(`${op}: hidden_size is ${hidden_size}, r has ${hidden} columns; make them equal`);
  const expected: readonly (readonly [string, Value | undefined, readonly number[]])[] = [
    ["w", w, [directions, gates * hidden, inputs]],
    ["r", r, [directions, gates * hidden, hidden]],
    ["b", b, [directions, 2 * gates * hidden]],
    ["sequence_lens", lengths, [batch]],
    ["initial_h", h, [directions, batch, hidden]],
    ["initial_c", c, [directions, batch, hidden]],
    ["p", p, [directions, 3 * hidden]],
  ];
  for (const [name, value, shape] of expected)
    if (value && !sameShape(value.shape, shape))
      throw new ShapeError(
        `${op}: ${name} is ${showShape(value.shape)}, input ${showShape(x.shape)} and ${hidden} hidden units need ${showShape(shape)}; make it that`,
      );
}

/** Throws UnsupportedError for settings under which the equations are others. */
function checkSettings({ type: op, activations }: Cell, attributes: Attributes): void {
  const { direction = "forward", clip = 0, input_forget = 0 } = attributes;
  if (!["forward", "reverse", "bidirectional"].includes(direction as string))
    throw new UnsupportedError(`${op}: direction is "${direction}"; pass forward, reverse or bidirectional`);
  recurrentActivations(op, activations, direction === "bidirectional" ? 2 : 1, attributes);
  if (clip !== 0 || input_forget !== 0)
    throw new UnsupportedError(`${op}: clip and input_forget are not supported; leave them out`);
}

/** Types of y [T, D, N, H], the last h and, for an LSTM, the last c [D, N, H]. */
function inferOutputs(cell: Cell, operands: Operands, attributes: Attributes): readonly TensorType[] {
  checkOperands(cell.type, cell.gates, operands, attributes);
  checkSettings(cell, attributes);
  const { steps, batch, directions, hidden } = extentsOf(operands);
  const dtype = operands[0]?.dtype ?? "float32";
  const last = { dtype, shape: [directions, batch, hidden] };
  return [{ dtype, shape: [steps, directions, batch, hidden] }, last, ...(cell.hasMemory ? [last] : [])];
}

/** Multiply-adds of the products with x and h at every step. */
function recurrentMacs(cell: Cell, operands: Operands): number {
  const { steps, batch, inputs, directions, hidden } = extentsOf(operands);
  return steps * batch * directions * cell.gates * hidden * (inputs + hidden);
}

/** Two for each multiply-add, and the elementwise work of each unit and step. */
function recurrentFlops(cell: Cell, operands: Operands): number {
  const { steps, batch, directions, hidden } = extentsOf(operands);
  return 2 * recurrentMacs(cell, operands) + cell.elementwiseFlops * steps * batch * directions * hidden;
}

/** Layout 1 has the batch first: x [N, T, I], states [N, D, H], y [N, T, D, H]. */
function readRecurrent({ inputs, attributes }: StoredNode, op: OpDef): readonly Value[] {
  const { layout = 0 } = attributes;
  const own = { hidden_size: inputs[2]?.shape[2], ...without(attributes, ["layout"]) };
  if (layout === 0) return outputsOf(op, inputs, own);
  const swapped = inputs.map((value, i) => value && ([0, 5, 6].includes(i) ? transpose(value, [1, 0, 2]) : value));
  const [y, ...last] = outputsOf(op, swapped, own) as [Value, ...Value[]];
  return [transpose(y, [2, 0, 1, 3]), ...last.map((state) => transpose(state, [1, 0, 2]))];
}

/** The outputs of a node; with peepholes, whose gradient the fused operator does not have, step by step. */
function outputsOf(op: OpDef, operands: Operands, attributes: Attributes): readonly Value[] {
  const [x, w, r, b, lengths, h, c, p] = operands;
  if (op !== LSTM || !x || !w || !r || !p) return storedNode(op, operands, attributes).outputs;
  inferOutputs(lstmCell, operands, attributes);
  const { direction } = attributes as { readonly direction?: string };
  return runUnrolled(lstmCell, {
    inputs: [x, w, r, b, lengths, h, c, p],
    attributes: { ...(direction && { direction }) },
  });
}

interface SequenceView {
  readonly inputs: Operands;
  readonly outputs: Operands;
  readonly axes: SampleAxes;
}

/** x [T, N, I] and states [D, N, H] have their samples on axis 1, lengths [N] on axis 0; the weights are the same for all. */
function samplesOfSequences({ inputs, outputs, axes }: SequenceView): SampledNode | undefined {
  const wanted = [1, undefined, undefined, undefined, 0, 1, 1];
  if (axes.some((axis, i) => axis !== undefined && axis !== wanted[i])) return undefined;
  return { outputs: outputs.map((_, i) => (i === 0 ? 2 : 1)), operands: inputs.map((_, i) => wanted[i]) };
}

/** The WebGPU provider has these activations. */
const plainActivations = ["sigmoid", "tanh"];
const onProcessorUnlessPlain = ({
  attributes,
}: {
  readonly attributes: { readonly activations?: readonly string[] };
}) =>
  attributes.activations?.every((name) => plainActivations.includes(name.toLowerCase())) === false
    ? ("processor" as const)
    : undefined;

/** h' = tanh(x wᵀ + h rᵀ + b). */
export const RNN: OpDef = defineOp("RNN", {
  arity: "3-6",
  attributes: schema,
  infer: (operands, attributes) => inferOutputs(rnnCell, operands, attributes),
  grad: (view) => runGradient(rnnCell, view),
  sampleGradients: (view) => runSampleGradients(rnnCell, view),
  macs: ({ inputs }) => recurrentMacs(rnnCell, inputs),
  flops: ({ inputs }) => recurrentFlops(rnnCell, inputs),
  requiredOutputs: 1,
  lower: (view) => runOtherFloats(rnnCell, view),
  samples: samplesOfSequences,
  read: readRecurrent,
});

/** Gates z, r, h: h' = (1 - z) n + z h, with a reset gate inside the candidate n. */
export const GRU: OpDef = defineOp("GRU", {
  arity: "3-6",
  attributes: { ...schema, linear_before_reset: "int" },
  infer: (operands, attributes) => inferOutputs(gruCell(attributes), operands, attributes),
  grad: (view) => runGradient(gruCell(view.attributes), view),
  sampleGradients: (view) => runSampleGradients(gruCell(view.attributes), view),
  macs: ({ inputs, attributes }) => recurrentMacs(gruCell(attributes), inputs),
  flops: ({ inputs, attributes }) => recurrentFlops(gruCell(attributes), inputs),
  requiredOutputs: 1,
  lower: (view) => runOtherFloats(gruCell(view.attributes), view),
  onWebGpu: onProcessorUnlessPlain,
  samples: samplesOfSequences,
  read: readRecurrent,
});

/** Gates i, o, f, c: c' = f c + i g, h' = o tanh(c'). */
export const LSTM: OpDef = defineOp("LSTM", {
  arity: "3-8",
  attributes: { ...schema, input_forget: "int" },
  infer: (operands, attributes) => {
    if (operands[7])
      throw new UnsupportedError("LSTM: peephole weights are read from files only; leave the operand p out");
    return inferOutputs(lstmCell, operands, attributes);
  },
  grad: (view) => runGradient(lstmCell, view),
  sampleGradients: (view) => runSampleGradients(lstmCell, view),
  macs: ({ inputs }) => recurrentMacs(lstmCell, inputs),
  flops: ({ inputs }) => recurrentFlops(lstmCell, inputs),
  requiredOutputs: 1,
  lower: (view) => runOtherFloats(lstmCell, view),
  onWebGpu: onProcessorUnlessPlain,
  samples: samplesOfSequences,
  read: readRecurrent,
});
