/** Changes of ONNX models field by field, by the schema of onnx.proto: what is written is a whole message again. */
import { memorySource } from "../../src/core/byte-source.ts";
import type { Random } from "../../src/core/random.ts";
import { encodeMessage, type Message } from "../../src/onnx/codec.ts";
import { type Blob, type Decoded, type DecodedValue, decodeMessage, decodePacked } from "../../src/onnx/decode.ts";
import { type Field, type MessageSchema, ModelProto } from "../../src/onnx/schema.ts";
import type { Files, Mutation } from "../target.ts";
import { changedBytes, pick, wholeNumbers } from "./bytes.ts";

/** A message whose fields are lists where they are repeated, as the encoder takes them. */
type Mutable = { [field: string]: Part | undefined };
type Part = number | string | Uint8Array | Mutable | Part[];

const isBlob = (value: DecodedValue): value is Blob => typeof value === "object" && "read" in value;

function partOf(value: DecodedValue, field: Field): Part | readonly number[] {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object") return value;
  if (!isBlob(value)) return mutable(value as Decoded, field.message?.() ?? {});
  // Elements of tensors are read with the message here.
  return field.kind === "bytes" ? value.read().slice() : decodePacked(value.read(), field.kind).map(Number);
}

function mutable(message: Decoded, schema: MessageSchema): Mutable {
  const result: Mutable = {};
  for (const [name, value] of Object.entries(message)) {
    const field = schema[name];
    if (!field || value === undefined) continue;
    const parts = [value].flat().flatMap((item) => partOf(item as DecodedValue, field)) as Part[];
    result[name] = field.repeated ? parts : parts[0];
  }
  return result;
}

/** A message of the model, with the schema that it follows. */
interface Place {
  readonly message: Mutable;
  readonly schema: MessageSchema;
}

function placesIn(message: Mutable, schema: MessageSchema, found: Place[] = []): Place[] {
  found.push({ message, schema });
  for (const [name, part] of Object.entries(message)) {
    const inner = schema[name]?.message;
    if (inner && part !== undefined) for (const own of [part].flat() as Mutable[]) placesIn(own, inner(), found);
  }
  return found;
}

const clamp = (value: number, low: number, high: number): number => Math.trunc(Math.min(high, Math.max(low, value)));

/** A number that the encoder can write as a field of its kind. */
function fitting(value: number, { kind }: Field): number {
  if (kind === "int32") return clamp(value, -(2 ** 31), 2 ** 31 - 1);
  if (kind === "uint64") return clamp(value, 0, 2 ** 63);
  return kind === "int64" ? clamp(value, -(2 ** 63), 2 ** 63 - 1024) : value;
}

const floats: readonly number[] = [0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e30, -1e30, 0.5];

const operators: readonly string[] = [
  "Add",
  "MatMul",
  "Conv",
  "Reshape",
  "If",
  "Loop",
  "Scan",
  "Constant",
  "ConstantOfShape",
  "Expand",
  "Tile",
  "Range",
  "Concat",
  "Split",
  "Slice",
  "Gather",
  "Resize",
  "LSTM",
  "Identity",
  "Shape",
  "Pad",
  "OneHot",
  "SequenceConstruct",
]; // prettier-ignore

function newPart(field: Field, random: Random, names: readonly string[]): Part {
  if (field.kind === "string")
    return pick(random, [
      pick(random, names),
      pick(random, names),
      pick(random, operators),
      "",
      "__proto__",
      "\u001b[31m",
    ]);
  if (field.kind === "bytes")
    return new Uint8Array(pick(random, [0, 1, 4, 8, 64, 1000])).fill(pick(random, [0, 1, 0xff]));
  if (field.kind === "message") return {};
  if (field.kind === "float" || field.kind === "double") return pick(random, floats);
  return fitting(pick(random, wholeNumbers), field);
}

function near(part: Part, field: Field, random: Random, names: readonly string[]): Part {
  if (typeof part === "number" && random.integer(2) === 0)
    return fitting(pick(random, [part + 1, part - 1, -part, 2 * part, part * 1000]), field);
  if (part instanceof Uint8Array && random.integer(2) === 0) return changedBytes(part, random, [part]);
  if (typeof part === "string" && random.integer(4) === 0)
    return pick(random, [`${part}_`, part.slice(1), part.repeat(2), "x".repeat(3000)]);
  return field.kind === "message" ? part : newPart(field, random, names);
}

/** Changes one field of one message. */
function changeField(
  { message, schema }: Place,
  random: Random,
  all: readonly Place[],
  names: readonly string[],
): void {
  const name = pick(random, random.integer(4) === 0 ? Object.keys(schema) : Object.keys(message));
  const field = schema[name];
  if (name === undefined || !field) return;
  const donor = pick(
    random,
    all.filter((place) => place.schema === schema),
  ).message[name];
  const part = message[name];
  if (!field.repeated) {
    const kind = random.integer(4);
    if (kind === 0) delete message[name];
    else if (kind === 1 && donor !== undefined) message[name] = structuredClone(donor);
    else message[name] = part === undefined ? newPart(field, random, names) : near(part, field, random, names);
    return;
  }
  const list = ((part ?? []) as Part[]).slice();
  const at = random.integer(list.length + 1);
  const own = list[at];
  const kind = random.integer(6);
  if (kind === 0) list.splice(at, 1);
  else if (kind === 1) list.splice(at, 0, newPart(field, random, names));
  else if (kind === 2 && own !== undefined) list.splice(at, 0, structuredClone(own));
  else if (kind === 3 && Array.isArray(donor)) list.splice(at, 0, ...structuredClone(donor.slice(0, 20)));
  else if (kind === 4 && field.kind === "message") list.reverse();
  else
    list[Math.min(at, list.length)] =
      own === undefined ? newPart(field, random, names) : near(own, field, random, names);
  message[name] = list;
}

/** Names of values, by which nodes are joined. */
const namesIn = (all: readonly Place[]): readonly string[] => {
  const names = all.flatMap(({ message }) => [message["name"], message["input"], message["output"]].flat());
  return names.filter((name) => typeof name === "string").slice(0, 500);
};

/** A model with one to five changed fields; `undefined` for what is no message. */
export function changedModel(bytes: Uint8Array, random: Random): Uint8Array | undefined {
  let model: Mutable;
  try {
    model = mutable(decodeMessage(ModelProto, memorySource(bytes)), ModelProto);
  } catch {
    return undefined;
  }
  for (let i = 1 + random.integer(5); i > 0; i--) {
    const all = placesIn(model, ModelProto);
    changeField(pick(random, all), random, all, [...namesIn(all), "x"]);
  }
  return encodeMessage(ModelProto, model as Message);
}

/** Changes the model in the file of a name. */
export const modelIn =
  (name: string): Mutation =>
  (files: Files, random: Random) => {
    const changed = files[name] && changedModel(files[name], random);
    return changed ? { ...files, [name]: changed } : files;
  };
