/** A model over tensors by name, compiled for batches of a few sizes: each sample gives what it gives alone, which the operators' rules prove. */
import { allocate } from "../../core/dtype.ts";
import {
  DTypeError,
  InternalError,
  OptionError,
  ShapeError,
  UnsupportedError,
  unknownName,
} from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { leavesOf } from "../../core/tree.ts";
import { bucketsUpTo } from "../../decode/row-decoder.ts";
import { input, Value } from "../../graph/ir.ts";
import { rebatch, type Sampled } from "../../import/rebatch.ts";
import { type CompileOptions, compile } from "../../jit/compile.ts";
import { type Compiled, SessionCache } from "../../jit/session-cache.ts";
import { Context } from "../../nn/context.ts";
import type { AnyModule } from "../../nn/module.ts";
import { builtIn } from "../../nn/parameter-inputs.ts";
import { expand } from "../../ops/index.ts";
import type { NamedTensors, TensorSpec } from "../served-model.ts";

/** A model to serve, by the tensors that it is asked with. */
export interface EngineModel {
  readonly model: AnyModule;
  /** What it takes: the first extent is the batch where it is open. */
  readonly inputs: readonly TensorSpec[];
  /** From the inputs as they are sent, for any batch, to what the model takes. */
  readonly nest: (inputs: Readonly<Record<string, Value>>) => unknown;
  /** What open extents behind the batch are multiples of; default 1. */
  readonly multiple?: number;
  /** Names of its outputs, where its files have them; default their paths. */
  readonly outputNames?: readonly string[] | undefined;
}

/** Options of `TensorEngine.open`. */
export interface EngineOptions {
  /** Samples of a batch at most. */
  readonly most: number;
  /** Device, threads. */
  readonly compile?: CompileOptions;
}

/** The graph of a model for inputs of some shapes. */
interface Traced {
  readonly inputs: readonly Value[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
}

/** A graph of one size, compiled. */
interface Sized extends Compiled {
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
}

/** Compiled graphs that are kept of a model: sizes of batches, for each shape of samples that is asked for. */
const mostSessions = 24;

const shown = (shape: readonly number[]): string =>
  `[${shape.map((extent) => (extent < 0 ? "any" : extent)).join(", ")}]`;

/** A model that tensors go through, several requests at once. */
export class TensorEngine {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Samples that are computed together at most: 1 of a model whose samples are not shown to be independent. */
  readonly most: number;
  /** Why samples are computed one by one, if they are. */
  readonly obstacle: string | undefined;
  readonly #model: EngineModel;
  readonly #compile: CompileOptions;
  readonly #sessions = new SessionCache<Sized>({ sessions: mostSessions });

  private constructor(model: EngineModel, probe: Probe, { most, compile = {} }: EngineOptions) {
    this.#model = model;
    this.#compile = compile;
    this.inputs = model.inputs;
    this.outputs = probe.outputs;
    this.obstacle = probe.obstacle;
    this.most = probe.obstacle === undefined ? most : 1;
  }

  /** Opens a model, by a trace that shows what it gives. Throws what tracing throws. */
  static open(model: EngineModel, options: EngineOptions): TensorEngine {
    return new TensorEngine(model, probeOf(model), options);
  }

  /** Whether the first extent of the inputs is the batch, of any size. */
  get isBatched(): boolean {
    return this.inputs.length > 0 && this.inputs.every(({ shape: [batch] }) => batch === -1);
  }

  /** The inputs in their order. Throws OptionError, DTypeError or ShapeError for tensors that are not those that the model takes. */
  taken(given: NamedTensors): readonly Tensor[] {
    const names = this.inputs.map(({ name }) => name);
    for (const name of given.keys()) if (!names.includes(name)) throw unknownName("input", name, names);
    const tensors = this.inputs.map((spec) => {
      const tensor = given.get(spec.name);
      if (!tensor) throw new OptionError(`input "${spec.name}" is missing; send ${names.join(", ")}`);
      requireFit(spec, tensor);
      return tensor;
    });
    const [first, ...others] = this.isBatched ? tensors.map(({ shape: [batch = 0] }) => batch) : [];
    if (others.some((batch) => batch !== first))
      throw new ShapeError(`the inputs have ${[first, ...others].join(", ")} samples; send as many of each`);
    if (first === 0) throw new ShapeError("the inputs have no samples; send one at least");
    return tensors;
  }

  /** Samples of inputs. */
  rowsOf(inputs: readonly Tensor[]): number {
    return this.isBatched ? (inputs[0]?.shape[0] ?? 1) : 1;
  }

  /** What inputs must have alike to be computed together: the shape of their samples. */
  keyOf(inputs: readonly Tensor[]): string {
    return inputs.map(({ shape }) => shape.slice(this.isBatched ? 1 : 0).join()).join(";");
  }

  /** Outputs of several requests of one key, each by itself. Throws RuntimeError with the engine's words. */
  async run(requests: readonly (readonly Tensor[])[]): Promise<readonly (readonly Tensor[])[]> {
    if (!this.isBatched) return Promise.all(requests.map((inputs) => this.#runWhole(inputs)));
    const counts = requests.map((inputs) => this.rowsOf(inputs));
    const joined = this.inputs.map((_, i) => joinRows(requests.map((inputs) => inputs[i] as Tensor)));
    const total = counts.reduce((sum, rows) => sum + rows, 0);
    const parts: (readonly Tensor[])[] = [];
    for (let start = 0; start < total; start += this.most) {
      const rows = Math.min(this.most, total - start);
      parts.push(
        await this.#runRows(
          joined.map((tensor) => rowsOf(tensor, start, rows)),
          rows,
        ),
      );
    }
    const outputs = this.outputs.map((_, i) => joinRows(parts.map((part) => part[i] as Tensor)));
    let start = 0;
    return counts.map((rows) => {
      const own = outputs.map((tensor) => rowsOf(tensor, start, rows));
      start += rows;
      return own;
    });
  }

  /** Compiles ahead for all sizes of batches, where the shape of samples is known. */
  async warm(): Promise<void> {
    if (!this.isBatched || this.inputs.some(({ shape }) => shape.slice(1).includes(-1))) return;
    const samples = this.inputs.map(({ shape }) => shape.slice(1));
    for (const rows of bucketsUpTo(this.most))
      await this.#sessions.get(`${rows}:${samples.join(";")}`, () => this.#sized(samples, rows));
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  /** Some rows, filled up to a size that is compiled. */
  async #runRows(inputs: readonly Tensor[], rows: number): Promise<readonly Tensor[]> {
    const bucket = bucketsUpTo(this.most).find((own) => own >= rows) ?? rows;
    const filled = inputs.map((tensor) => filledUp(tensor, bucket));
    const outputs = await this.#sessions.use(
      `${bucket}:${this.keyOf(filled)}`,
      () =>
        this.#sized(
          filled.map(({ shape }) => shape.slice(1)),
          bucket,
        ),
      ({ run }) => run(filled),
    );
    return outputs.map((tensor) => rowsOf(tensor, 0, rows));
  }

  #runWhole(inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
    const shapes = inputs.map(({ shape }) => shape);
    return this.#sessions.use(
      this.keyOf(inputs),
      () => this.#compiled(traced(this.#model, shapes)),
      ({ run }) => run(inputs),
    );
  }

  /** Compiles for so many samples of some shapes. */
  #sized(samples: readonly (readonly number[])[], rows: number): Promise<Sized> {
    const one = traced(
      this.#model,
      samples.map((shape) => [1, ...shape]),
    );
    return this.#compiled(rows === 1 && this.obstacle !== undefined ? one : forRows(one, rows));
  }

  async #compiled({ inputs, outputs }: Traced): Promise<Sized> {
    const executable = await compile(inputs, outputs.map(({ value }) => value), this.#compile); // biome-ignore format: one line
    return { executables: [executable], run: (tensors) => executable.run(tensors) };
  }
}

/** The graph of a model for inputs of some shapes. */
function traced({ model, inputs, nest, outputNames }: EngineModel, shapes: readonly (readonly number[])[]): Traced {
  const values = inputs.map(({ name, dtype }, i) => input(dtype, shapes[i] ?? [], name));
  const given = nest(Object.fromEntries(inputs.map(({ name }, i) => [name, values[i] as Value])));
  const tree = model.apply(given as never, new Context(model, { bind: builtIn }));
  const leaves = leavesOf(tree).flatMap(({ path, leaf }) => (leaf instanceof Value ? [{ path, value: leaf }] : []));
  const outputs = leaves.map(({ path, value }, i) => ({
    name: (path === "" ? outputNames?.[i] : path) ?? (leaves.length === 1 ? "output" : path),
    value,
  }));
  return { inputs: values, outputs };
}

/** The graph of one sample as that of several. Throws UnsupportedError where samples are not computed each by itself. */
function forRows({ inputs, outputs }: Traced, rows: number): Traced {
  const entering = new Map<Value, Sampled>(
    inputs.map((value) => [
      value,
      { value: input(value.dtype, [rows, ...value.shape.slice(1)], value.name ?? "input"), axis: 0 },
    ]),
  );
  const made = rebatch(outputs.map(({ value }) => value), entering, { from: 1, to: rows }); // biome-ignore format: one line
  return {
    inputs: inputs.map((value) => entering.get(value)?.value as Value),
    outputs: made.map(({ value, axis }, i) => {
      const { name } = outputs[i] as { readonly name: string };
      if (axis === 0) return { name, value };
      if (axis === undefined && value.shape[0] === 1)
        return { name, value: expand(value, [rows, ...value.shape.slice(1)]) };
      throw new UnsupportedError(`output "${name}" does not have its samples along the first axis`);
    }),
  };
}

/** What a trace shows of a model. */
interface Probe {
  readonly outputs: readonly TensorSpec[];
  readonly obstacle: string | undefined;
}

/** Lengths for extents that are open, to see which of the outputs follow them. */
const [short, long] = [8, 12] as const;

function probeOf(model: EngineModel): Probe {
  const { multiple = 1 } = model;
  const shapesOf = (open: number) =>
    model.inputs.map(({ shape }) =>
      shape.map((extent, axis) => (extent >= 0 ? extent : axis === 0 ? 1 : multiple * open)),
    );
  const isBatched = model.inputs.length > 0 && model.inputs.every(({ shape: [batch] }) => batch === -1);
  const first = traced(model, shapesOf(short));
  const second = model.inputs.some(({ shape }) => shape.slice(1).includes(-1)) ? traced(model, shapesOf(long)) : first;
  const outputs = first.outputs.map(({ name, value }, i) => ({
    name,
    dtype: value.dtype,
    shape: value.shape.map((extent, axis) => {
      if (isBatched && axis === 0) return -1;
      return extent === second.outputs[i]?.value.shape[axis] ? extent : -1;
    }),
  }));
  if (!isBatched) return { outputs, obstacle: "the model has no batch of any size" };
  try {
    forRows(first, 2);
    return { outputs, obstacle: undefined };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { outputs, obstacle: error.message };
  }
}

/** Throws DTypeError or ShapeError for a tensor that is not as the model takes it. */
function requireFit({ name, dtype, shape }: TensorSpec, tensor: Tensor): void {
  if (tensor.dtype !== dtype)
    throw new DTypeError(`input "${name}" is ${tensor.dtype}, and the model takes ${dtype}; send that`);
  const fits =
    tensor.shape.length === shape.length && shape.every((extent, i) => extent < 0 || extent === tensor.shape[i]);
  if (!fits)
    throw new ShapeError(
      `input "${name}" is ${shown(tensor.shape)}, and the model takes ${shown(shape)}; send that shape`,
    );
}

/** Some rows of a tensor, without a copy. */
function rowsOf({ dtype, shape, data }: Tensor, start: number, rows: number): Tensor {
  const each = size(shape.slice(1));
  return new Tensor(dtype, [rows, ...shape.slice(1)], data.subarray(start * each, (start + rows) * each));
}

/** Tensors whose samples have one shape, one behind the other. */
function joinRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first) throw new InternalError("no tensors to join");
  if (tensors.length === 1) return first;
  const rows = tensors.reduce((sum, { shape: [batch = 0] }) => sum + batch, 0);
  return placedIn(first, rows, tensors);
}

/** A tensor with its last row again until it has so many: what fills a batch up is an input that the model takes. */
function filledUp(tensor: Tensor, rows: number): Tensor {
  const missing = rows - (tensor.shape[0] ?? 0);
  if (missing <= 0) return tensor;
  const last = rowsOf(tensor, (tensor.shape[0] ?? 1) - 1, 1);
  return placedIn(tensor, rows, [tensor, ...Array.from({ length: missing }, () => last)]);
}

function placedIn({ dtype, shape }: Tensor, rows: number, parts: readonly Tensor[]): Tensor {
  const data = allocate(dtype, rows * size(shape.slice(1)));
  let at = 0;
  for (const part of parts) {
    // Both are of one dtype.
    (data as Float32Array).set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return new Tensor(dtype, [rows, ...shape.slice(1)], data);
}
