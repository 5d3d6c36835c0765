/**
 * What coordinator and clients send one another: one safetensors file a message, its fields as JSON in the metadata, so that sizes, names, shapes and
 * offsets are checked by one reader before anything is believed.
 */
import * as z from "zod";
import { memorySource } from "../core/byte-source.ts";
import { FederationError, SardonyxError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import type { Key } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { decodeSafetensors, encodeSafetensors, readSafetensorsHeader } from "../storage/safetensors.ts";
import { type Compression, decodeValues, encodeValues, encodings } from "./compression.ts";
import { asTensors, type ModelDescription, protocolVersion, requireFiniteValues } from "./model-description.ts";
import { mostMembers } from "./secure/threshold.ts";
import type { Strategy, Vectors } from "./strategies/strategy.ts";

const format = "sardonyx-federation";
const [valuesPrefix, vectorsPrefix] = ["values/", "vectors/"];

/** Bytes in hexadecimal digits; so many where that is known. */
export const hexBytes = (bytes?: number) =>
  z.string().regex(bytes === undefined ? /^([0-9a-f]{2}){1,4096}$/ : new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

const word = z.number().int().nonnegative().max(0xffffffff);
const name = z.string().min(1).max(100);
/** A client's name: 1 to 100 characters. */
export const clientNameType = name;
/** What all messages say. */
export const messageBase = {
  protocol: z.number(),
  model: name,
  round: z.number().int().positive(),
  client: clientNameType,
};
const noiseSchema = z.strictObject({ clip: z.number().positive(), deviation: z.number().nonnegative() });
const secureSchema = z.strictObject({
  attempt: z.number().int().nonnegative(),
  peers: z.array(z.strictObject({ name: clientNameType, sealed: hexBytes().optional() })).max(mostMembers),
});
const taskSchema = z.strictObject({
  ...messageBase,
  kind: z.literal("task"),
  federation: name,
  localEpochs: z.number().int().positive(),
  rate: z.number().positive(),
  strategy: z.object({ name, settings: z.record(name, z.number()) }),
  compression: z.object({ encoding: z.enum(encodings), share: z.number() }),
  key: z.tuple([word, word]),
  accepted: z.number().int().nonnegative(),
  noise: noiseSchema.optional(),
  secure: secureSchema.optional(),
});
const updateSchema = z.strictObject({
  ...messageBase,
  kind: z.literal("update"),
  samples: z.number().int().positive(),
  steps: z.number().int().positive(),
  loss: z.number().optional(),
  encoding: z.enum(encodings),
  scales: z.record(z.string(), z.number()),
});

/** What a client does to its change before it is sent, where the federation adds noise. */
export interface ChangeNoise {
  /** The norm that the change has at most. */
  readonly clip: number;
  /** Standard deviation of the noise that the client adds to each element; 0 where the coordinator adds it. */
  readonly deviation: number;
}

/** How a client masks its update. */
export interface SecureTask {
  /** How often the round had begun before. */
  readonly attempt: number;
  /** The clients whose updates are added up, this one among them, and what each of the others sealed for this one, in hexadecimal digits. */
  readonly peers: readonly { readonly name: string; readonly sealed?: string | undefined }[];
}

/** What a client is to do in a round. */
export interface RoundTask {
  /** Tells the federation from others. */
  readonly federation: string;
  /** The round, 1 for the first. */
  readonly round: number;
  /** The client's name. */
  readonly client: string;
  /** Passes over its data. */
  readonly localEpochs: number;
  /** What its learning rate is multiplied by. */
  readonly rate: number;
  /** The strategy, by its name and numbers. */
  readonly strategy: Pick<Strategy, "name" | "settings">;
  /** How the update is to be written. */
  readonly compression: Required<Compression>;
  /** What the randomness of the client's training derives from, in this round. */
  readonly key: Key;
  /** The last round of which the coordinator took this client's update; 0 for none. */
  readonly accepted: number;
  /** How its change is bounded and blurred; nothing where it is not. */
  readonly noise?: ChangeNoise | undefined;
  /** How its update is masked; nothing where the coordinator sees it. */
  readonly secure?: SecureTask | undefined;
  /** The values of the model. */
  readonly values: Float32Array;
  /** What the strategy sends beside them. */
  readonly sent: Vectors;
}

/** What a client's training came to. */
export interface ClientUpdate {
  /** The round whose values it was trained from. */
  readonly round: number;
  /** The client's name. */
  readonly client: string;
  /** Samples of its data. */
  readonly samples: number;
  /** Steps that it made. */
  readonly steps: number;
  /** Mean loss over its samples, as it trained; not said where noise is to protect it. */
  readonly loss?: number | undefined;
  /** What changed of the values. */
  readonly change: Float32Array;
  /** What the strategy returns beside it. */
  readonly returned: Vectors;
}

const vectorTensors = (description: ModelDescription, vectors: Vectors): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(vectors).flatMap(([name, vector]) =>
      Object.entries(asTensors(description, vector)).map(([path, own]) => [`${vectorsPrefix}${name}/${path}`, own]),
    ),
  );

/** The bytes of a message: its fields and its tensors. */
export const encodeMessage = (
  description: ModelDescription,
  fields: object,
  tensors: Record<string, Tensor> = {},
): Uint8Array =>
  encodeSafetensors(tensors, {
    format,
    fields: JSON.stringify({ protocol: protocolVersion, model: description.hash, ...fields }),
  });

/** The bytes of a task. */
export function encodeTask(description: ModelDescription, { values, sent, ...fields }: RoundTask): Uint8Array {
  const tensors = Object.entries(asTensors(description, values)).map(([path, own]) => [`${valuesPrefix}${path}`, own]);
  return encodeMessage(
    description,
    { kind: "task", ...fields },
    { ...Object.fromEntries(tensors), ...vectorTensors(description, sent) },
  );
}

/**
 * The bytes of an update. Throws FederationError for a change that the encoding does not hold.
 * @param key of the rounding
 */
export function encodeUpdate(
  description: ModelDescription,
  { change, returned, ...fields }: ClientUpdate,
  compression: Compression,
  key: Key,
): Uint8Array {
  const { tensors, scales } = encodeValues(description, change, compression, key);
  const { encoding = "float32" } = compression;
  const values = Object.entries(tensors).map(([path, own]) => [`${valuesPrefix}${path}`, own]);
  return encodeMessage(
    description,
    { kind: "update", encoding, scales, ...fields },
    { ...Object.fromEntries(values), ...vectorTensors(description, returned) },
  );
}

/** Tensors of a message by what they are: the values, and vectors by their names. */
function sorted(where: string, tensors: Readonly<Record<string, Tensor>>) {
  const values: Record<string, Tensor> = {};
  const vectors: Record<string, Record<string, Tensor>> = {};
  for (const [key, own] of Object.entries(tensors)) {
    const rest = key.slice(key.indexOf("/") + 1);
    if (key.startsWith(valuesPrefix)) values[rest] = own;
    else if (key.startsWith(vectorsPrefix) && rest.includes("/")) {
      const name = rest.slice(0, rest.indexOf("/"));
      if (!Object.hasOwn(vectors, name)) vectors[name] = {};
      (vectors[name] as Record<string, Tensor>)[rest.slice(name.length + 1)] = own;
    } else
      throw new FederationError(`${where} has a tensor "${key}", which this version does not know; send values alone`);
  }
  return { values, vectors };
}

/** Vectors of these names. Throws FederationError for others, and naming a tensor that does not fit or is not finite. */
function readVectors(
  where: string,
  description: ModelDescription,
  vectors: Readonly<Record<string, Readonly<Record<string, Tensor>>>>,
  names: readonly string[],
): Vectors {
  const found = Object.keys(vectors);
  if ([...found].sort().join() !== [...names].sort().join())
    throw new FederationError(
      `${where} has the vectors ${found.join(", ") || "none"} beside the values, expected ${names.join(", ") || "none"}; use the coordinator's strategy`,
    );
  return Object.fromEntries(
    Object.entries(vectors).map(([name, tensors]) => {
      const place = `${where}: "${name}"`;
      const vector = decodeValues(place, description, "float32", { tensors, scales: {} });
      requireFiniteValues(place, description, vector);
      return [name, vector];
    }),
  );
}

/** What kind of message bytes are, "" for what is none. */
export function kindOfMessage(bytes: Uint8Array): string {
  try {
    const fields = parseJson(readSafetensorsHeader(memorySource(bytes)).metadata["fields"] ?? "");
    return z.object({ kind: z.string() }).parse(fields).kind;
  } catch {
    return "";
  }
}

/** Reads a message of a kind. Throws FederationError, beginning with `where`, for another version or model, and what is none. */
export function decodeMessage<T extends { readonly protocol: number; readonly model: string }>(
  where: string,
  description: ModelDescription,
  bytes: Uint8Array,
  schema: z.ZodType<T>,
) {
  let file: ReturnType<typeof decodeSafetensors>;
  let fields: unknown;
  try {
    file = decodeSafetensors(bytes);
    if (file.metadata["format"] !== format) throw new FederationError("it is no message of federated learning");
    fields = parseJson(file.metadata["fields"] ?? "");
  } catch (cause) {
    const why = cause instanceof SardonyxError ? cause.message : "its fields are not JSON";
    throw new FederationError(`${where} cannot be read: ${why}`, { cause });
  }
  // Said first: another version may have other fields.
  const { protocol, model } = z
    .object({ protocol: z.number().catch(0), model: z.string().catch("") })
    .catch({ protocol: 0, model: "" })
    .parse(fields);
  if (protocol !== protocolVersion)
    throw new FederationError(
      `${where} is of version ${protocol} of the messages, expected ${protocolVersion}; install the same version of sardonyx on both sides`,
    );
  if (model !== description.hash)
    throw new FederationError(
      `${where} is of another model (${model}, expected ${description.hash}); train the same recipe with the same options on both sides`,
    );
  const parsed = schema.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FederationError(
      `${where} has a field ${issue?.path.join(".") || "too many or too few"} that makes no sense (${issue?.message}); install the same version of sardonyx on both sides`,
    );
  }
  return { fields: parsed.data, tensors: file.tensors };
}

/** A task as a client reads it. Throws FederationError for what is not one for its model, and for one of another strategy than the client's. */
export function decodeTask(
  description: ModelDescription,
  bytes: Uint8Array,
  { name, settings, local }: Pick<Strategy, "name" | "settings" | "local">,
): RoundTask {
  const where = "the coordinator's task";
  const { fields, tensors } = decodeMessage(where, description, bytes, taskSchema);
  const { values: found, vectors } = sorted(where, tensors);
  const { kind: _, protocol: __, model: ___, ...task } = fields;
  const said = (strategy: Pick<Strategy, "name" | "settings">) =>
    `${strategy.name} ${JSON.stringify(strategy.settings)}`;
  if (said(task.strategy) !== said({ name, settings }))
    throw new FederationError(
      `${where} is for the strategy ${said(task.strategy)}, and this client has ${said({ name, settings })}; join again`,
    );
  const values = decodeValues(where, description, "float32", { tensors: found, scales: {} });
  requireFiniteValues(where, description, values);
  return { ...task, values, sent: readVectors(where, description, vectors, local?.sends ?? []) };
}

/**
 * An update as the coordinator reads it. Throws FederationError, naming the client, for another version, another model, tensors that are missing,
 * unknown or of a wrong shape, and numbers that are not finite.
 * @param client whose connection it came by
 * @param expected the encoding that the client was told, and the vectors that the strategy returns
 */
export function decodeUpdate(
  client: string,
  description: ModelDescription,
  bytes: Uint8Array,
  expected: { readonly compression: Compression; readonly returns: readonly string[] },
): ClientUpdate {
  const where = `the update of client "${client}"`;
  const { fields, tensors } = decodeMessage(where, description, bytes, updateSchema);
  const { values, vectors } = sorted(where, tensors);
  const { kind: _, protocol: __, model: ___, encoding, scales, ...update } = fields;
  if (update.client !== client)
    throw new FederationError(`${where} says that it is of "${update.client}"; send each client's own`);
  if (encoding !== (expected.compression.encoding ?? "float32"))
    throw new FederationError(
      `${where} is written as ${encoding}, expected ${expected.compression.encoding ?? "float32"}; write it as the task says`,
    );
  const change = decodeValues(where, description, encoding, { tensors: values, scales });
  requireFiniteValues(where, description, change);
  return { ...update, change, returned: readVectors(where, description, vectors, expected.returns) };
}
