/** What coordinator and clients say to one another in secure aggregation, beside the tasks: small fields, and the masked update. */
import * as z from "zod";
import { FederationError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { decodeMessage, encodeMessage, hexBytes, messageBase, clientNameType as name } from "../messages.ts";
import type { ModelDescription } from "../model-description.ts";
import { keyBytes } from "./key-agreement.ts";
import type { Ring } from "./ring.ts";
import { mostMembers } from "./threshold.ts";

const base = { ...messageBase, attempt: z.number().int().nonnegative() };
const key = hexBytes(keyBytes);
/** A share of 32 bytes is one longer: behind it stands its number. */
const share = hexBytes(keyBytes + 1);
const listOf = <T extends z.ZodRawShape>(shape: T) => z.array(z.strictObject({ name, ...shape })).max(mostMembers);

const schemas = {
  /** The coordinator asks for keys. */
  askKeys: z.strictObject({ ...base, kind: z.literal("askKeys"), federation: name }),
  /** A client's public keys: of what is sealed for it, and of masks. */
  keys: z.strictObject({ ...base, kind: z.literal("keys"), sealing: key, masking: key }),
  /** The keys of all, of whom each is to get shares. */
  roster: z.strictObject({ ...base, kind: z.literal("roster"), members: listOf({ sealing: key, masking: key }) }),
  /** A client's shares, sealed for each of the others. */
  shares: z.strictObject({ ...base, kind: z.literal("shares"), sealed: listOf({ share: hexBytes() }) }),
  /** A masked update: in a tensor of its own. */
  masked: z.strictObject({ ...base, kind: z.literal("masked") }),
  /** Whose updates came. */
  unmask: z.strictObject({ ...base, kind: z.literal("unmask"), survivors: z.array(name).max(mostMembers) }),
  /** Shares of the survivors' own seeds, and of the keys of those that vanished. */
  revealed: z.strictObject({ ...base, kind: z.literal("revealed"), seeds: listOf({ share }), keys: listOf({ share }) }),
} as const;

/** Kinds of these messages. */
export type SecureKind = keyof typeof schemas;
type Fields<K extends SecureKind> = z.infer<(typeof schemas)[K]>;
/** What a message says, without what every one says. */
export type Said<K extends SecureKind> = Omit<Fields<K>, "kind" | "protocol" | "model">;

const tensorName = "masked";

/** The bytes of a message, with the masked update where it is one. */
export function encodeSecure<K extends SecureKind>(
  description: ModelDescription,
  kind: K,
  fields: Said<K>,
  masked?: Ring,
): Uint8Array {
  const tensors = masked && {
    [tensorName]: new Tensor("uint64", [masked.length / 2], new BigUint64Array(masked.buffer)),
  };
  return encodeMessage(description, { kind, ...fields }, tensors);
}

/** Reads a message of a kind. Throws FederationError, beginning with `where`, for what is none. */
export function decodeSecure<K extends SecureKind>(
  where: string,
  description: ModelDescription,
  kind: K,
  bytes: Uint8Array,
): Fields<K> {
  const schema = schemas[kind] as z.ZodType as z.ZodType<Fields<K>>;
  const { fields, tensors } = decodeMessage(where, description, bytes, schema);
  const [stray] = Object.keys(tensors);
  if (stray !== undefined)
    throw new FederationError(`${where} has a tensor "${stray}", which this version does not know; send none`);
  return fields;
}

/** Reads a masked update of so many elements. Throws FederationError, beginning with `where`, for what is none. */
export function decodeMasked(
  where: string,
  description: ModelDescription,
  bytes: Uint8Array,
  elements: number,
): Fields<"masked"> & { readonly masked: Ring } {
  const { fields, tensors } = decodeMessage(where, description, bytes, schemas.masked);
  const { [tensorName]: own, ...others } = tensors;
  const [stray] = Object.keys(others);
  if (stray !== undefined)
    throw new FederationError(`${where} has a tensor "${stray}", which this version does not know; send it masked`);
  if (own?.dtype !== "uint64" || own.shape.length !== 1 || own.shape[0] !== elements)
    throw new FederationError(
      `${where}: the tensor "${tensorName}" is ${own ? `${own.dtype} [${own.shape.join(", ")}]` : "missing"}, expected uint64 [${elements}]; train the coordinator's model`,
    );
  return { ...fields, masked: new Uint32Array((own.data as BigUint64Array).slice().buffer) };
}
