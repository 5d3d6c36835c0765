/** Requests and answers of the Open Inference Protocol, version 2, with its binary tensor data extension. */
import * as z from "zod";
import { DataError, OptionError, ShapeError } from "../../../core/errors.ts";
import { limits } from "../../../core/limits.ts";
import { quoted } from "../../../core/printable.ts";
import { size } from "../../../core/shape.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { jsonOf, refusalOf } from "../json-body.ts";
import { bytesOfTensor, dataTypes, dtypeOf, jsonOfTensor, tensorOfBytes, tensorOfJson } from "./data-types.ts";

const parametersSchema = z.record(z.string(), z.unknown()).optional();
const inputSchema = z.strictObject({
  name: z.string().min(1).max(limits.nameLength),
  shape: z.array(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)).max(limits.rank),
  datatype: z.string(),
  parameters: parametersSchema,
  data: z.unknown().optional(),
});
const outputSchema = z.strictObject({ name: z.string().min(1).max(limits.nameLength), parameters: parametersSchema });
const requestSchema = z.strictObject({
  // The address names the model; some clients name it here, too.
  model_name: z.string().optional(),
  model_version: z.string().optional(),
  id: z.string().max(256).optional(),
  parameters: parametersSchema,
  inputs: z.array(inputSchema).min(1).max(256),
  outputs: z.array(outputSchema).max(256).optional(),
});

/** A request that was read. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** The outputs that are asked for, and whether as bytes; all in the model's order where none are named. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[] | undefined;
  /** Whether outputs are given as bytes where nothing is said of them. */
  readonly binary: boolean;
}

/** Parameters of extensions that would change what is answered, and what to do without them. */
const refused: readonly (readonly [pattern: RegExp, mend: string])[] = [
  [/^sequence_/, "models keep nothing between requests; send each request whole"],
  [/^shared_memory_/, "tensors are read from the request alone; send their data"],
  [/^classification$/, "outputs are given as they are; take the classes from them, or ask POST /predict"],
];

function requireKnown(parameters: Readonly<Record<string, unknown>> | undefined): void {
  for (const name of Object.keys(parameters ?? {}))
    for (const [pattern, mend] of refused)
      if (pattern.test(name)) throw new OptionError(`the parameter ${quoted(name)} is not supported: ${mend}`);
}

/** A flag among parameters. */
function flagOf(parameters: Readonly<Record<string, unknown>> | undefined, name: string): boolean | undefined {
  const value = parameters?.[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw new OptionError(
    `the parameter ${quoted(name)} is ${quoted(String(value).slice(0, 40))}, expected true or false`,
  );
}

/**
 * Reads a request. Throws OptionError, DataError, ShapeError and DTypeError for what is wrong in it.
 * @param headerLength bytes of the JSON at the beginning of the body, where bytes of tensors follow (Inference-Header-Content-Length)
 */
export function readInferRequest(body: Uint8Array, headerLength: string | undefined): InferRequest {
  const length = headerLength === undefined ? body.length : lengthOf(headerLength, body.length);
  const parsed = requestSchema.safeParse(jsonOf(body.subarray(0, length), "the request"));
  if (!parsed.success) throw refusalOf(parsed.error, "the request");
  const { id, parameters, inputs, outputs } = parsed.data;
  requireKnown(parameters);
  const tensors = new Map<string, Tensor>();
  let at = length;
  for (const { name, shape, datatype, parameters: own, data } of inputs) {
    if (tensors.has(name)) throw new OptionError(`input ${quoted(name)} is there twice; send it once`);
    requireKnown(own);
    const dtype = dtypeOf(datatype, name);
    const bytes = own?.["binary_data_size"];
    if (bytes === undefined) {
      requireRoom(name, shape, body.length);
      tensors.set(name, tensorOfJson(dtype, shape, data, name));
      continue;
    }
    if (data !== undefined)
      throw new OptionError(`input ${quoted(name)} has data and binary_data_size; send one of them`);
    if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > body.length - at)
      throw new DataError(
        `input ${quoted(name)}: binary_data_size is ${quoted(String(bytes).slice(0, 40))}, and ${body.length - at} bytes are left behind the JSON; say how many it has, and send the header Inference-Header-Content-Length`,
      );
    tensors.set(name, tensorOfBytes(dtype, shape, body.subarray(at, at + bytes), name));
    at += bytes;
  }
  if (at !== body.length)
    throw new DataError(`${body.length - at} bytes are left behind the tensors; send as many as binary_data_size says`);
  return {
    id,
    inputs: tensors,
    outputs: outputs?.map(({ name, parameters: own }) => {
      requireKnown(own);
      return { name, binary: flagOf(own, "binary_data") ?? flagOf(parameters, "binary_data_output") ?? false };
    }),
    binary: flagOf(parameters, "binary_data_output") ?? false,
  };
}

function lengthOf(text: string, most: number): number {
  const length = Number(text);
  if (!/^\d+$/.test(text) || length > most)
    throw new DataError(
      `Inference-Header-Content-Length is ${quoted(text.slice(0, 40))}, expected the bytes of the JSON, at most ${most}; correct it`,
    );
  return length;
}

/** Refuses shapes of more elements than the body can have written, before there is room made for them. */
function requireRoom(name: string, shape: readonly number[], bytes: number): void {
  const count = size(shape);
  if (count > bytes)
    throw new ShapeError(
      `input ${quoted(name)}: its shape [${shape.join(", ")}] takes ${count} elements, more than the body can hold; send the shape of the data`,
    );
}

/** An answer: its headers and its body. */
export interface InferAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** Writes an answer. Throws OptionError for an output that the model does not give, DataError for numbers that JSON does not have. */
export function writeInferAnswer(
  { id, outputs, binary }: InferRequest,
  { name, version }: { readonly name: string; readonly version: string },
  results: ReadonlyMap<string, Tensor>,
): InferAnswer {
  const wanted = outputs && outputs.length > 0 ? outputs : Array.from(results.keys(), (own) => ({ name: own, binary }));
  const parts: Uint8Array[] = [];
  const written = wanted.map((own) => {
    const tensor = results.get(own.name);
    if (!tensor)
      throw new OptionError(
        `the model has no output ${quoted(own.name)}; it has ${[...results.keys()].map(quoted).join(", ")}`,
      );
    const head = `{"name":${JSON.stringify(own.name)},"shape":[${tensor.shape.join(",")}],"datatype":"${dataTypes[tensor.dtype]}"`;
    if (!own.binary) return `${head},"data":${jsonOfTensor(tensor, own.name)}}`;
    parts.push(bytesOfTensor(tensor));
    return `${head},"parameters":{"binary_data_size":${tensor.data.byteLength}}}`;
  });
  const known = JSON.stringify({ model_name: name, model_version: version, ...(id !== undefined && { id }) });
  const text = `${known.slice(0, -1)},"outputs":[${written.join(",")}]}`;
  if (parts.length === 0) return { headers: { "content-type": "application/json" }, body: text };
  const header = new TextEncoder().encode(text);
  const body = new Uint8Array(parts.reduce((sum, { length }) => sum + length, header.length));
  body.set(header);
  let at = header.length;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  const headers = {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(header.length),
  };
  return { headers, body };
}
