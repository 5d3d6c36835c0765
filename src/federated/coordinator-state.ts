/** What is kept of a coordinator, to go on from: its parts and their check, and the bytes of one file. */
import * as z from "zod";
import { FederationError, FileError, SardonyxError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { decodeSafetensors, encodeSafetensors } from "../storage/safetensors.ts";
import { plainStateSchema } from "./collections/plain-collection.ts";
import { secureStateSchema } from "./collections/secure-collection.ts";
import type { ModelDescription } from "./model-description.ts";
import type { Strategy } from "./strategies/strategy.ts";

const whole = z.number().int().nonnegative();
const vector = z.custom<Float32Array>((value) => value instanceof Float32Array);
const vectors = z.record(z.string(), vector);
const recordSchema = z.object({
  round: whole,
  clients: z.array(z.string()).readonly(),
  dropped: z.record(z.string(), z.string()),
  samples: whole,
  loss: z.number().optional(),
  bytesDown: whole,
  bytesUp: whole,
});
const stateSchema = z.object({
  id: z.string(),
  model: z.string(),
  strategy: z.string(),
  values: vector,
  slots: vectors,
  history: z.array(recordSchema),
  known: z.array(z.string()),
  accepted: z.record(z.string(), whole),
  attempt: whole,
  bytesUp: whole,
  open: z
    .object({
      attempt: whole,
      tasks: z.record(z.string(), whole),
      collection: z.discriminatedUnion("kind", [plainStateSchema, secureStateSchema]),
    })
    .optional(),
});

/** Everything that a coordinator needs to go on. */
export type CoordinatorState = z.infer<typeof stateSchema>;

/** Checks a state. Throws FileError for what is not one, FederationError for one of another model or strategy. */
export function takeState(saved: unknown, { hash, length }: ModelDescription, strategy: Strategy): CoordinatorState {
  const parsed = stateSchema.safeParse(saved);
  if (!parsed.success)
    throw new FileError(
      `the saved state of the federation is damaged at ${parsed.error.issues[0]?.path.join(".")}; begin anew, or go back to an earlier file`,
    );
  const state = parsed.data;
  if (state.model !== hash)
    throw new FederationError(
      `the saved state is of another model (${state.model}, expected ${hash}); go on with the recipe and the options that it was begun with`,
    );
  const slots = Object.keys(strategy.slots);
  if (state.strategy !== strategy.name || Object.keys(state.slots).sort().join() !== [...slots].sort().join())
    throw new FederationError(
      `the saved state is of the strategy ${state.strategy}, expected ${strategy.name}; go on with the strategy that it was begun with`,
    );
  const open = state.open?.collection;
  const updates = open?.kind === "plain" ? Object.values(open.updates) : [];
  const all = [
    state.values,
    ...Object.values(state.slots),
    ...updates.flatMap(({ change, returned }) => [change, ...Object.values(returned)]),
  ];
  const odd = all.find((own) => own.length !== length);
  if (odd)
    throw new FileError(
      `the saved state of the federation has a vector of ${odd.length} elements, expected ${length}; it is damaged, begin anew`,
    );
  return state;
}

const format = "sardonyx-coordinator-1";
const marker = "$vector";

/** The bytes of a state: one safetensors file, to be replaced atomically. */
export function encodeState(state: CoordinatorState): Uint8Array {
  const tensors: Record<string, Tensor> = {};
  const text = JSON.stringify(state, (_, value: unknown) => {
    if (!(value instanceof Float32Array || value instanceof Uint32Array)) return value;
    const name = String(Object.keys(tensors).length);
    tensors[name] = tensor(value);
    return { [marker]: name };
  });
  return encodeSafetensors(tensors, { format, state: text });
}

/** Reads it back; `Coordinator` checks what it holds. Throws FileError for bytes of something else. */
export function decodeState(bytes: Uint8Array): CoordinatorState {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    if (metadata["format"] !== format)
      throw new FileError(`the file's format is "${metadata["format"]}", expected ${format}`);
    const state = parseJson(metadata["state"] ?? "", (_, value) => {
      const name: unknown = (value as Readonly<Record<string, unknown>> | null)?.[marker];
      return typeof name === "string" ? tensors[name]?.data : value;
    });
    return stateSchema.parse(state);
  } catch (cause) {
    const why = cause instanceof SardonyxError ? cause.message : "a part of it is missing or of another kind";
    throw new FileError(`the saved state of a federation cannot be read: ${why}; begin anew, or name another file`, {
      cause,
    });
  }
}
