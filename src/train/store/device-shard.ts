/** Shards in the memory of a device, whose loops are graphs there. What the host reads or writes is a copy, brought over when it is needed. */
import { DataError, InternalError, OptionError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../../jit/compile.ts";
import { concat, expand, identity, reduceSum, reshape, slice, zeros } from "../../ops/index.ts";
import { DeviceTensor } from "../../runtime/device-tensor.ts";
import { type Extent, layOutSlots } from "./arena.ts";
import type { Allocate } from "./parameter-store.ts";
import {
  type GradientPlaces,
  gradientsName,
  type Loop,
  type LoopBody,
  parametersName,
  type Shard,
  type Slot,
  type WholeRewrite,
} from "./shard.ts";

/** Sums are taken over rows of this many elements first, by as many workers as there are rows; vectors are as long as whole rows. */
const row = 1024;
/** The longest vector of which graphics cards bind every element at once, in bytes. */
const vectorBytes = 2 ** 30;

/** A vector: on the device, as a copy on the host, or both, of which one may be newer. */
interface Vector {
  readonly there: DeviceTensor<"float32">;
  here: Float32Array | undefined;
  /** Where it is as it should be. */
  newest: "here" | "there" | "both";
}

/** Vectors in the memory of a device. Parameters lie there once more, each by itself, as graphs read them. */
export class DeviceShard implements Shard {
  readonly slots: readonly Slot[];
  readonly length: number;
  readonly #options: CompileOptions;
  readonly #vectors: ReadonlyMap<string, Vector>;
  /** The parameters by themselves, in the order of the slots. */
  readonly #parts: ReadonlyMap<Slot, DeviceTensor<"float32">>;
  /** What was compiled, by what it is for; it is compiled anew after a release. */
  readonly #compiled = new Map<string, Promise<Executable>>();
  /** Loops so far, which tells them apart. */
  #loops = 0;

  constructor({ slots, length }: Extent, names: readonly string[], options: CompileOptions) {
    this.slots = slots;
    this.length = Math.ceil(length / row) * row;
    this.#options = options;
    this.#vectors = new Map(
      names.map((name) => [
        name,
        {
          there: new DeviceTensor("float32", [this.length]),
          here: undefined,
          newest: "here",
        } satisfies Vector as Vector,
      ]),
    );
    this.#parts = new Map(
      slots.map((slot) => [
        slot,
        new DeviceTensor("float32", slot.parameter.shape, () => this.#partOf(parametersName, slot)),
      ]),
    );
  }

  vector(name: string): Float32Array {
    const vector = this.#vectorOf(name);
    if (vector.newest === "there")
      throw new DataError(
        `the ${name} were changed in the memory of the device since they were fetched; await trainer.sync() before reading them`,
      );
    vector.here ??= new Float32Array(this.length);
    return vector.here;
  }

  view(name: string, slot: Slot): Tensor<"float32"> {
    const part = name === parametersName ? this.#parts.get(slot) : undefined;
    return part ?? new Tensor("float32", slot.parameter.shape, () => this.#partOf(name, slot));
  }

  async fetch(name: string): Promise<void> {
    const vector = this.#vectorOf(name);
    if (vector.newest !== "there") return;
    const download = await this.#compile("download", [this.#flat()], ([x]) => ({ host: [identity(x as Value)] }));
    const [data] = await download.run([vector.there]);
    vector.here = data?.data as Float32Array;
    vector.newest = "both";
  }

  written(name: string): void {
    this.#vectorOf(name).newest = "here";
  }

  async settle(): Promise<void> {
    for (const [name, vector] of this.#vectors) if (name !== gradientsName) await this.#bring(name, vector);
  }

  loop(names: readonly string[], scalarCount: number, build: LoopBody): Loop {
    const own = this.#loops++;
    let written: readonly boolean[] = [];
    const executableOf = (start: number, end: number) => {
      const vectors = names.map(() => this.#flat());
      const given = scalarCount > 0 ? [input("float32", [scalarCount], "scalars")] : [];
      return this.#compile(`loop ${own} ${start} ${end}`, [...vectors, ...given], (inputs) => {
        const whole = inputs.slice(0, names.length);
        const scalars = Array.from({ length: scalarCount }, (_, i) =>
          reshape(slice(inputs.at(-1) as Value, { axis: 0, start: i, end: i + 1 }), []),
        );
        const { results, sum } = build(
          whole.map((vector) => cut(vector, start, end)),
          scalars,
        );
        written = names.map((_, i) => results[i] !== undefined);
        const device = results.flatMap((result, i) => {
          if (!result) return [];
          const vector = within(whole[i] as Value, expand(result, [end - start]), start, end);
          return this.#withParts(names[i] as string, vector);
        });
        return { device, host: sum ? [total(sum)] : [] };
      });
    };
    return async (start, end, values) => {
      const { run } = await executableOf(Math.min(start, this.length), Math.min(end, this.length));
      for (const name of names) await this.#bring(name, this.#vectorOf(name));
      const places = names.flatMap((name, i) => (written[i] ? this.#placesOf(name) : []));
      const scalars = scalarCount > 0 ? [new Tensor("float32", [scalarCount], Float32Array.from(values))] : [];
      const results = await run([...names.map((name) => this.#vectorOf(name).there), ...scalars], places);
      for (const [i, name] of names.entries()) if (written[i]) this.#changedThere(name);
      const sum = results[places.length];
      return sum ? sum.item() : 0;
    };
  }

  rewriteWhole(name: string, build: (whole: Value) => Value): WholeRewrite {
    const own = this.#loops++;
    return {
      run: async (slots) => {
        const vector = this.#vectorOf(name);
        await this.#bring(name, vector);
        const of = slots.map(({ offset }) => offset);
        const { run } = await this.#compile(`whole ${own} ${of}`, [this.#flat()], ([whole]) => {
          const pieces: Value[] = [];
          let at = 0;
          for (const { offset, length, parameter } of slots) {
            const part = reshape(cut(whole as Value, offset, offset + length), parameter.shape);
            pieces.push(cut(whole as Value, at, offset), reshape(build(part), [length]));
            at = offset + length;
          }
          return { device: this.#withParts(name, joined([...pieces, cut(whole as Value, at, this.length)])) };
        });
        await run([vector.there], this.#placesOf(name));
        this.#changedThere(name);
      },
      // With the shard's own.
      async release() {},
    };
  }

  gather(gradients: readonly Value[]): GradientPlaces {
    const flat = gradients.map((gradient) => reshape(gradient, [size(gradient.shape)]));
    const filled = flat.reduce((sum, { shape }) => sum + size(shape), 0);
    return {
      outputs: [joined([...flat, zeros([this.length - filled])])],
      places: [this.#vectorOf(gradientsName).there],
      filled: () => this.#changedThere(gradientsName),
    };
  }

  async release(): Promise<void> {
    for (const [name, vector] of this.#vectors) {
      // Gradients are those of a step.
      if (name !== gradientsName) await this.fetch(name);
      vector.newest = "here";
      vector.there.release();
    }
    for (const part of this.#parts.values()) part.release();
    for (const made of this.#compiled.values()) await (await made).session.release();
    this.#compiled.clear();
  }

  #vectorOf(name: string): Vector {
    const vector = this.#vectors.get(name);
    if (!vector)
      throw new OptionError(`no vector is named "${name}"; there are ${[...this.#vectors.keys()].join(", ")}`);
    return vector;
  }

  #partOf(name: string, { offset, length }: Slot): Float32Array {
    return this.vector(name).subarray(offset, offset + length);
  }

  #changedThere(name: string): void {
    const vector = this.#vectorOf(name);
    vector.newest = "there";
    vector.here = undefined;
  }

  /** Brings a vector that is newer on the host to the device. */
  async #bring(name: string, vector: Vector): Promise<void> {
    if (vector.newest !== "here") return;
    const given = new Tensor("float32", [this.length], this.vector(name));
    const purpose = name === parametersName ? "upload parameters" : "upload";
    const upload = await this.#compile(purpose, [this.#flat()], ([x]) => ({
      device: this.#withParts(name, identity(x as Value)),
    }));
    await upload.run([given], this.#placesOf(name));
    vector.newest = "both";
  }

  #flat = (): Value => input("float32", [this.length], "vector");

  /** A new vector of a name, and of parameters each by itself. */
  #withParts(name: string, vector: Value): readonly Value[] {
    const parts = name === parametersName ? this.slots : [];
    const cuts = parts.map(({ offset, length, parameter }) =>
      reshape(cut(vector, offset, offset + length), parameter.shape),
    );
    return [vector, ...cuts];
  }

  /** The tensors that a new vector of a name goes into, and its parts. */
  #placesOf(name: string): readonly DeviceTensor<"float32">[] {
    return [this.#vectorOf(name).there, ...(name === parametersName ? this.#parts.values() : [])];
  }

  /** What is compiled for a purpose, once. */
  #compile(
    purpose: string,
    inputs: readonly Value[],
    build: (inputs: readonly Value[]) => { readonly device?: readonly Value[]; readonly host?: readonly Value[] },
  ): Promise<Executable> {
    const known = this.#compiled.get(purpose);
    if (known) return known;
    const { device = [], host = [] } = build(inputs);
    const made = compile(inputs, [...device, ...host], this.#options, new Set(device));
    this.#compiled.set(purpose, made);
    return made;
  }
}

/** A part of a vector. */
const cut = (vector: Value, start: number, end: number): Value =>
  start === 0 && end === vector.shape[0] ? vector : slice(vector, { axis: 0, start, end });

/** Vectors one behind the other, without those that are empty. */
function joined(vectors: readonly Value[]): Value {
  const [first, ...others] = vectors.filter(({ shape }) => size(shape) > 0);
  if (!first) throw new InternalError("a shard without elements");
  return others.length === 0 ? first : concat([first, ...others], 0);
}

/** A vector with a part of it replaced. */
const within = (vector: Value, part: Value, start: number, end: number): Value =>
  joined([cut(vector, 0, start), part, cut(vector, end, vector.shape[0] ?? 0)]);

/** The sum of a vector, by rows where it has whole ones. */
function total(vector: Value): Value {
  const [length = 1] = vector.shape;
  return reduceSum(length % row === 0 ? reduceSum(reshape(vector, [length / row, row]), 1) : vector);
}

/** Shards on a device, apart for parameters that are updated differently: an update then takes whole vectors. */
export const allocateOnDevice =
  (options: CompileOptions): Allocate =>
  (parameters, names, kindOf) =>
    layOutSlots(parameters, 1, { limit: vectorBytes, alignment: 1, kindOf }).map(
      (extent) => new DeviceShard(extent, names, options),
    );
