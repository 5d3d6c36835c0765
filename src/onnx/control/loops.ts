/** Loop and Scan, written out step by step: how many steps they take is known while the graph is built. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { normalizeAxis, sameShape } from "../../core/shape.ts";
import { constantOf, type Value } from "../../graph/ir.ts";
import { ComputedError, requireConstant, scalar } from "../../ops/constant.ts";
import { where } from "../../ops/elementwise.ts";
import { and } from "../../ops/logic.ts";
import { reshape, stack } from "../../ops/movement.ts";
import { slice } from "../../ops/slicing.ts";
import type { FileGraph } from "../model-file.ts";
import { type Computed, isValue, Names } from "../names.ts";
import { describeNode } from "../sort.ts";
import { type ControlNode, graphAttribute } from "./node.ts";

/** Loops of more steps are left alone: their graphs would be too large to run well. */
const maxSteps = 4096;

function bodyOf({ node }: ControlNode): FileGraph {
  const body = graphAttribute(node.attributes, "body");
  if (!body) throw new UnsupportedError(`${node.type}: it has no body`);
  return body;
}

/** What the body gives for what its inputs mean. */
function runBody({ names, reader }: ControlNode, body: FileGraph, inputs: readonly (Computed | undefined)[]) {
  const inner = new Names(names);
  for (const [i, { name }] of body.inputs.entries()) {
    const given = inputs[i];
    if (given) inner.set(name, given);
  }
  return reader.graph(body, inner);
}

const tensorsOf = (type: string, computed: readonly Computed[]): readonly Value[] =>
  computed.map((item) => {
    if (isValue(item)) return item;
    throw new UnsupportedError(`${type}: its steps give no tensors; only tensors can be joined`);
  });

/** Values of each step joined along a new first axis. */
function joined(type: string, steps: readonly (readonly Computed[])[], i: number): Value {
  const values = tensorsOf(
    type,
    steps.flatMap((step) => step[i] ?? []),
  );
  const [first] = values;
  if (!first) throw new UnsupportedError(`${type}: it takes no step, so that the type of its outputs is not known`);
  return stack(values);
}

/** The state where the loop still runs, else the one before; `undefined` where it changes its shape meanwhile. */
function kept(active: Value, after: Computed, before: Computed | undefined): Value | undefined {
  const fits = isValue(after) && before && isValue(before) && sameShape(after.shape, before.shape);
  return fits && after.dtype === before.dtype ? where(active, after, before) : undefined;
}

/**
 * The steps of a Loop: as many as its trip count, or until its condition is known to fail. Behind a condition on data all steps of the
 * trip count are taken, and those after the end leave the state as it is.
 */
export function readLoop(at: ControlNode): readonly Computed[] {
  const { node, names, reader } = at;
  const body = bodyOf(at);
  const where = describeNode(node);
  const [countName = "", conditionName = "", ...stateNames] = node.inputs;
  const limit = countName
    ? (requireConstant("Loop", "its trip count", reader.operand(countName, names, where))[0] ?? 0)
    : Number.POSITIVE_INFINITY;
  let condition = conditionName ? reader.operand(conditionName, names, where) : scalar(1, "bool");
  let state = stateNames.map((name) => reader.entry(name, names, where));
  /** Whether it still runs, where that depends on data; then how many steps it takes must not matter. */
  let active: Value | undefined;
  const unknown = () => new ComputedError("Loop", "its condition", active);
  const outputs = Math.max(0, body.outputs.length - 1 - state.length);
  const steps: (readonly Computed[])[] = [];
  for (let step = 0; step < limit; step++) {
    const known = constantOf(condition)?.data[0];
    if (known === 0) break;
    if (known === undefined) active = active ? and(active, reshape(condition, [])) : reshape(condition, []);
    if (active && (!Number.isFinite(limit) || outputs > 0)) throw unknown();
    if (step === maxSteps)
      throw new UnsupportedError(`Loop: it takes more than ${maxSteps} steps, which are too many to write out`);
    const [next, ...computed] = runBody(at, body, [scalar(step, "int64"), condition, ...state]);
    if (!next || !isValue(next)) throw new UnsupportedError("Loop: its body gives no condition");
    condition = next;
    const now = active;
    state = computed.slice(0, state.length).map((after, i) => {
      const result = now ? kept(now, after, state[i]) : after;
      if (!result) throw unknown();
      return result;
    });
    steps.push(computed.slice(state.length));
  }
  return [...state, ...Array.from({ length: outputs }, (_, i) => joined("Loop", steps, i))];
}

const listOf = ({ node }: ControlNode, name: string): readonly number[] => {
  const value = node.attributes.get(name);
  return Array.isArray(value) ? (value as readonly number[]) : [];
};

/** Element `index` of an axis, without the axis. */
const entryOf = (x: Value, axis: number, index: number): Value =>
  reshape(slice(x, { axis, start: index, end: index + 1 }), x.shape.toSpliced(axis, 1));

/** How a Scan walks: along which axis of each input and output, and which of them from the end. */
interface Walk {
  readonly inputAxes: readonly number[];
  readonly inputDirections: readonly number[];
  readonly outputAxes: readonly number[];
  readonly outputDirections: readonly number[];
}

/** The last state and the joined outputs of the steps over scanned values. */
function walk(at: ControlNode, initial: readonly Value[], scanned: readonly Value[], rules: Walk): readonly Value[] {
  const body = bodyOf(at);
  const axisOf = (i: number) => normalizeAxis(rules.inputAxes[i] ?? 0, scanned[i]?.rank ?? 1);
  const lengths = new Set(scanned.map((x, i) => x.shape[axisOf(i)] ?? 0));
  const [length = 0] = lengths;
  if (lengths.size !== 1)
    throw new ShapeError(`${describeNode(at.node)}: its inputs have ${[...lengths].join(", ")} steps; make them equal`);
  if (length > maxSteps)
    throw new UnsupportedError(`Scan: it takes ${length} steps; more than ${maxSteps} are too many to write out`);
  let state = initial;
  const steps: (readonly Value[])[] = [];
  for (let step = 0; step < length; step++) {
    const slices = scanned.map((x, i) =>
      entryOf(x, axisOf(i), rules.inputDirections[i] === 1 ? length - 1 - step : step),
    );
    const computed = tensorsOf("Scan", runBody(at, body, [...state, ...slices]));
    state = computed.slice(0, state.length);
    steps.push(computed.slice(state.length));
  }
  const count = Math.max(0, body.outputs.length - state.length);
  const outputs = Array.from({ length: count }, (_, i) => {
    const values = steps.flatMap((step) => step[i] ?? []);
    const ordered = rules.outputDirections[i] === 1 ? values.toReversed() : values;
    return stack(ordered, normalizeAxis(rules.outputAxes[i] ?? 0, (values[0]?.rank ?? 0) + 1));
  });
  return [...state, ...outputs];
}

/** The steps of a Scan over slices of its inputs. */
export function readScan(at: ControlNode): readonly Computed[] {
  const { node, names, reader } = at;
  const scanned = node.attributes.get("num_scan_inputs");
  const values = (given: readonly string[]) => given.map((name) => reader.operand(name, names, describeNode(node)));
  if (typeof scanned !== "number") throw new UnsupportedError("Scan: it does not say how many inputs it scans");
  if ((reader.file.opsets.get("") ?? 1) >= 9) {
    const all = values(node.inputs);
    return walk(at, all.slice(0, all.length - scanned), all.slice(all.length - scanned), {
      inputAxes: listOf(at, "scan_input_axes"),
      inputDirections: listOf(at, "scan_input_directions"),
      outputAxes: listOf(at, "scan_output_axes"),
      outputDirections: listOf(at, "scan_output_directions"),
    });
  }
  // Operator set 8 walks each sample by itself: the batch is axis 0 of all, and the lengths come first.
  const [lengths = "", ...rest] = node.inputs;
  if (lengths !== "") throw new UnsupportedError("Scan: lengths of sequences are not supported; leave them out");
  const all = values(rest);
  const batch = all[0]?.shape[0] ?? 0;
  const rules = { inputAxes: [], inputDirections: listOf(at, "directions"), outputAxes: [], outputDirections: [] };
  const samples = Array.from({ length: batch }, (_, n) => {
    const own = all.map((value) => entryOf(value, 0, n));
    return walk(at, own.slice(0, own.length - scanned), own.slice(own.length - scanned), rules);
  });
  return (samples[0] ?? []).map((_, i) => stack(samples.flatMap((outputs) => outputs[i] ?? [])));
}
