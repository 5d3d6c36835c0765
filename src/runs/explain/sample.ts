/** One sample of a model, ready to be explained, whatever its kind: what methods are given, and what is shown of their values. */
import { OptionError } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { greatest } from "../../core/lists.ts";
import type { Shape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Attribution, Target } from "../../explain/index.ts";
import { nextTokenScore, type Picture, type SampleInputs } from "../../explain/index.ts";
import type { Value } from "../../graph/ir.ts";
import type { AnyModule, Module } from "../../nn/index.ts";
import { slice, sub } from "../../ops/index.ts";
import type { MethodName } from "./methods.ts";

/** What is shown of a sample, and of what its values are. */
export interface ShownSample {
  /** In the words of messages: `an image`. */
  readonly what: string;
  /** What values compare with, in the words of messages: `silence`. */
  readonly baselineText: string;
  /** Whether elements lie as those of an image do. */
  readonly isImage: boolean;
  /** Scores of the sample: of classes, of labels, a number alone, of next tokens. */
  readonly scores: ArrayLike<number>;
  /** What the scores are of, by their places. */
  readonly scoresOf: "classes" | "labels" | "number" | "next tokens";
  /** Names of the scores; default their numbers. */
  readonly names?: readonly string[] | undefined;
  /** The method where none is named, and why. */
  readonly usual: { readonly method: MethodName; readonly why: string };
  /** The picture of values of the shape of x, or of a map over an image. */
  picture(values: Tensor<"float32">): Picture;
}

/** A sample with its model. */
export interface Sample extends ShownSample {
  /** From the sample to the scores. */
  readonly model: Module<Value, unknown>;
  readonly x: Tensor;
  /** What stands for what is absent, of the shape of x; default zeros. */
  readonly baseline?: Tensor | undefined;
  /** Samples of the data that it can be compared with, [rows, …]. */
  readonly background?: Tensor | undefined;
  /** The feature that each element belongs to, for methods that would ask too often otherwise. */
  readonly groups?: Tensor | undefined;
  /** What occlusion covers at once. */
  readonly window?: Shape | undefined;
  /** The model as it is, of tokens: what looks inside it asks it so. */
  readonly inside?: { readonly model: AnyModule; readonly inputs: SampleInputs };
}

/** A sample of a run that is asked, whose model is not seen: by its parts that are left out alone. */
export interface AskedSample extends ShownSample {
  /** How far the score falls without each part, [1, parts]. */
  drops(chosen: Chosen): Promise<Attribution>;
}

export type AnySample = Sample | AskedSample;

/** What is explained of a sample. */
export interface Chosen {
  /** The place of the score. */
  readonly place: number;
  /** The place of the score that it is compared with. */
  readonly against?: number | undefined;
}

/** The name of a score. */
export function nameOf({ names, scoresOf }: ShownSample, place: number): string {
  if (scoresOf === "number") return "the number";
  const name = names?.[place];
  // Of tokens the space before them counts.
  if (scoresOf === "next tokens") return JSON.stringify(name ?? String(place));
  return name ?? `class ${place}`;
}

/** What a sample's methods are given as target. */
export function targetOf({ scoresOf }: ShownSample, { place, against }: Chosen): Target<unknown> {
  const scoreAt = (at: number) =>
    scoresOf === "next tokens"
      ? nextTokenScore(at)
      : (outputs: unknown) => slice(outputs as Value, { axis: 1, start: at, end: at + 1 });
  if (against !== undefined) return (outputs) => sub(scoreAt(place)(outputs), scoreAt(against)(outputs));
  return scoresOf === "next tokens" ? nextTokenScore(place) : place;
}

/** The place of the largest score. */
export function largestOf({ scores }: ShownSample): number {
  return Array.prototype.indexOf.call(scores, greatest(Array.from(scores)));
}

/** The place that a person named: by a name, or by a number. Throws OptionError for one that there is not. */
export function placeOf(sample: ShownSample, given: string, flag: string): number {
  const { names = [], scores, scoresOf } = sample;
  if (scoresOf === "number")
    throw new OptionError(`${flag} is ${given}, and the model predicts a number; leave it out`);
  const exact = names.indexOf(given);
  if (exact >= 0) return exact;
  const lower = names.flatMap((name, place) => (name.toLowerCase() === given.trim().toLowerCase() ? [place] : []));
  if (lower.length === 1) return lower[0] as number;
  const place = Number(given);
  if (/^\d+$/.test(given) && place < scores.length) return place;
  const known = groupBy(names, (name) => name.slice(0, 40));
  const shown = [...known.keys()].slice(0, 12);
  throw new OptionError(
    `${flag} is "${given}"; pass ${shown.length > 0 ? `one of ${shown.join(", ")}${known.size > shown.length ? ", …" : ""}, or ` : ""}a number from 0 to ${scores.length - 1}`,
  );
}
