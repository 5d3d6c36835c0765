/** The shapes of a network's inputs: what is known of them, and what the command line says of the rest. */
import { OptionError, ShapeError, unknownName } from "../../core/errors.ts";
import { type Limits, limitNames, limits } from "../../core/limits.ts";
import type { Shape } from "../../core/shape.ts";
import type { TensorType } from "../../graph/ir.ts";
import { type Declared, extentOf } from "../../import/declared.ts";
import { mapTypes, type TypeTree } from "../../nn/index.ts";
import { choice, text, wholeNumber } from "../command.ts";

/** What the command line says of input shapes. */
export interface ShapeOptions {
  readonly inputShape?: string | undefined;
  readonly batch?: number | undefined;
  readonly sequence?: number | undefined;
  /** Limits that are other than docs/limits.md lists. */
  readonly limit?: Limits | undefined;
}

/** Limits as the command line gives them: nodes=1000000,tensors=100000. */
function limitsOf(text: string): Limits {
  const pairs = text.split(",").map((part): [keyof Limits, number] => {
    const [name = "", value = ""] = part.split("=").map((own) => own.trim());
    const known = limitNames.find((own) => own === name);
    if (!known) throw unknownName("limit", name, limitNames);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value)) || Number(value) < 1)
      throw new OptionError(
        `--limit is "${text}"; pass a whole number from 1, such as --limit ${known}=${2 * limits[known]}`,
      );
    return [known, Number(value)];
  });
  return Object.fromEntries(pairs);
}

/** The options of every command that takes a network. */
export const shapeOptions = {
  inputShape: text("SHAPE", "1,3,224,224; of several inputs ids=1,128;mask=1,128"),
  batch: wholeNumber("samples at once; default 1", 1),
  sequence: wholeNumber("tokens or steps in a sequence", 1),
  limit: choice(`raise a limit: ${limitNames.join(", ")}; several with commas`, limitsOf, "NAME=N"),
} as const;

/** The types of a module's inputs with the shapes that the command line says; a tensor alone is called x. */
export function chooseInputs(inputs: TypeTree, options: ShapeOptions): TypeTree {
  const chooser = new ShapeChooser(options);
  const names: string[] = [];
  const adapted = mapTypes(inputs, (type, path): TensorType => {
    names.push(path || "x");
    return chooser.adapt(path || "x", type, names.length === 1);
  });
  chooser.finish(names);
  return adapted as TypeTree;
}

/** The shapes that --input-shape gives, by the name of the input; "" is the first one. */
function givenShapes(option: string | undefined): ReadonlyMap<string, Shape> {
  if (option === undefined) return new Map();
  return new Map(
    option.split(";").map((part) => {
      const [, name = "", extents = ""] = /^(?:([^=]*)=)?(.*)$/.exec(part.trim()) ?? [];
      const shape = extents.split(/[,x×]/).map((extent) => Number(extent.trim()));
      if (extents.trim() === "" || !shape.every((extent) => Number.isSafeInteger(extent) && extent > 0))
        throw new OptionError(
          `--input-shape is "${option}"; pass whole numbers from 1, such as --input-shape 1,3,224,224, with names for several inputs: ids=1,128;mask=1,128`,
        );
      return [name.trim(), shape];
    }),
  );
}

const isSequenceName = (name: string): boolean => /seq|len|token|time|step/i.test(name);

/** Whether an axis of an input runs over a sequence: the second of whole numbers, or one that is named so. */
const isSequenceAxis = (dtype: string, axis: number, rank: number, name: string | undefined): boolean =>
  (name !== undefined && isSequenceName(name)) ||
  (axis === 1 && rank === 2 && /^int/.test(dtype) && !/feature|width|height|channel/i.test(name ?? ""));

/** Chooses shapes; remembers which names of --input-shape were of use. */
export class ShapeChooser {
  readonly #options: ShapeOptions;
  readonly #given: ReadonlyMap<string, Shape>;
  readonly #used = new Set<string>();
  /** What named extents of a file's inputs turned out to be: the batch of one input is that of the others. */
  readonly #bound = new Map<string, number>();

  constructor(options: ShapeOptions) {
    this.#options = options;
    this.#given = givenShapes(options.inputShape);
  }

  #named(name: string, isFirst: boolean): Shape | undefined {
    const key = this.#given.has(name) ? name : isFirst ? "" : undefined;
    const shape = key === undefined ? undefined : this.#given.get(key);
    if (key !== undefined && shape) this.#used.add(key);
    return shape;
  }

  /** The type of a module's input, of which a default is known. */
  adapt(name: string, { dtype, shape }: TensorType, isFirst: boolean): TensorType {
    const given = this.#named(name, isFirst);
    if (given) return { dtype, shape: given };
    const { batch, sequence } = this.#options;
    return {
      dtype,
      shape: shape.map((extent, axis) => {
        if (axis === 0) return batch ?? extent;
        return sequence !== undefined && isSequenceAxis(dtype, axis, shape.length, undefined) ? sequence : extent;
      }),
    };
  }

  /** The shape of a file's input, whose open extents are chosen. Throws ShapeError with the option that settles one. */
  settle(declared: Declared, isFirst: boolean): Shape {
    const shape = this.#named(declared.name, isFirst) ?? this.#choose(declared, isFirst);
    for (const [axis, extent] of (declared.extents ?? []).entries())
      if (typeof extent === "string") this.#bound.set(extent, shape[axis] ?? 1);
    return shape;
  }

  #choose({ name, type, extents }: Declared, isFirst: boolean): Shape {
    const mend = `pass --input-shape ${isFirst ? "" : `${name}=`}${suggestion(extents)}`;
    if (!extents) throw new ShapeError(`the shape of input "${name}" is unknown, even its rank; ${mend}`);
    const { batch, sequence } = this.#options;
    const settled = extents.map((extent, axis) => {
      if (typeof extent === "number") return axis === 0 && batch !== undefined ? batch : extent;
      const bound = extent === undefined ? undefined : extentOf(extent, (part) => this.#extent(part, extent));
      if (bound !== undefined) return bound;
      if (axis === 0) return batch ?? 1;
      return isSequenceAxis(type?.dtype ?? "", axis, extents.length, extent) ? sequence : undefined;
    });
    if (settled.every((extent) => extent !== undefined)) return settled;
    const open = extents.filter((extent, axis) => typeof extent !== "number" && settled[axis] === undefined);
    const isSequence = extents.some(
      (extent, axis) =>
        settled[axis] === undefined && isSequenceAxis(type?.dtype ?? "", axis, extents.length, `${extent}`),
    );
    const names = open.map((extent) => extent ?? "an extent without a name").join(" and ");
    throw new ShapeError(
      `the shape of input "${name}" is ${showOpen(extents)}: ${names} may vary; ${isSequence ? `pass --sequence 128, or ${mend.slice(5)}` : mend}`,
    );
  }

  /** The extent of a name; within a sum of names also of one that is a sequence's and not bound yet. */
  #extent(name: string, within: string): number | undefined {
    const isPart = name !== within && isSequenceName(name);
    return this.#bound.get(name) ?? (isPart ? this.#options.sequence : undefined);
  }

  /** Throws OptionError for a name that no input has. */
  finish(inputs: readonly string[]): void {
    const stray = [...this.#given.keys()].find((name) => !this.#used.has(name));
    if (stray !== undefined)
      throw new OptionError(
        `--input-shape names "${stray}", and the inputs are ${inputs.join(", ")}; name one of them`,
      );
  }
}

const showOpen = (extents: NonNullable<Declared["extents"]>): string =>
  `[${extents.map((extent) => extent ?? "?").join(", ")}]`;

/** A shape that could be meant: images are often 224 wide, sequences 128 long. */
function suggestion(extents: Declared["extents"]): string {
  if (!extents) return "1,3,224,224";
  const guess = (extent: number | string | undefined, axis: number) => {
    if (typeof extent === "number") return extent;
    return axis === 0 ? 1 : extents.length === 4 ? 224 : 128;
  };
  return extents.map(guess).join(",");
}
