/** Settings of Keras's layers: what each may hold, with Keras's defaults. */
import * as z from "zod";
import { UnsupportedError } from "../../../core/errors.ts";
import type { Shape } from "../../../core/shape.ts";
import { isPlainObject } from "../../../core/tree.ts";
import type { Value } from "../../../graph/ir.ts";
import { count, flag, shown } from "../../config-fields.ts";
import { channelsFirst, channelsLast } from "../channels.ts";
import { type KerasActivation, kerasActivation, layerActivation } from "./activations.ts";
import type { KerasVersion } from "./layer.ts";

/** One extent for each of `rank` axes, given as a list or as one for all. */
export function extents(rank: number, least = 1) {
  const error = `a whole number from ${least}, or a list of ${rank}`;
  const one = count(least);
  return z
    .union([one, z.array(one).length(rank)], { error })
    .transform((value): Shape => (typeof value === "number" ? new Array<number>(rank).fill(value) : value));
}

/** A whole number of either sign. */
export const integer = (error = "a whole number") => z.int({ error });

export const number = (error = "a number") => z.number({ error });

/** A switch with Keras's default. */
export const toggle = (standard: boolean) =>
  flag()
    .nullish()
    .transform((value) => value ?? standard);

/** How a window meets the border. */
export const padding = z
  .enum(["valid", "same"], { error: "valid or same" })
  .nullish()
  .transform((value) => value ?? "valid");

/** How a layer's operands lie, and its result: with the channels moved to the second axis, or there already. */
export interface Layout {
  readonly isLast: boolean;
  into(x: Value): Value;
  back(y: Value): Value;
}

const same = (x: Value) => x;
const layouts = {
  channels_last: { isLast: true, into: channelsFirst, back: channelsLast },
  channels_first: { isLast: false, into: same, back: same },
} as const satisfies Record<string, Layout>;

export const layout = z
  .enum(["channels_last", "channels_first"], { error: "channels_last or channels_first" })
  .nullish()
  .transform((value): Layout => layouts[value ?? "channels_last"]);

/** An activation of a version of Keras, whose functions differ. */
export type VersionedActivation = (keras: KerasVersion) => KerasActivation;

/** An activation by name, or as an object with a layer's class and settings; none is linear. */
export const activation = z
  .unknown()
  .optional()
  .transform((value): VersionedActivation => {
    if (isPlainObject(value) && isPlainObject(value["config"])) {
      const { class_name: className, config } = value;
      return (keras) => layerActivation(String(className), config as Readonly<Record<string, unknown>>, keras);
    }
    const name = activationName(value);
    return (keras) => (name === undefined ? (x) => x : kerasActivation(name, keras));
  });

/** The name of an activation, `undefined` for none. Throws UnsupportedError for what is no name. */
export function activationName(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  // Keras 3 writes functions as objects whose config is the name.
  const { class_name: className, config } = isPlainObject(value) ? value : { class_name: value };
  const named = className === "function" ? config : className;
  if (typeof named !== "string" || isPlainObject(config))
    throw new UnsupportedError(`its activation is ${shown(value)}, which is no name`);
  return named;
}
