/**
 * What coordinator and clients say to one another over a WebSocket beside tasks and updates: JSON in text frames, which are small. Tasks and updates are
 * binary frames (`messages.ts`).
 */
import * as z from "zod";
import { FederationError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { type ModelDescription, protocolVersion } from "./model-description.ts";

/** The most bytes of a text frame. */
export const mostText = 64 * 1024;

/** The path of the coordinator's WebSocket. */
export const socketPath = "/federation";

/** Seconds after which each side says that it is there, if it has nothing else to say. */
export const beatSeconds = 10;

/** Seconds without a word after which the other side counts as gone. */
export const silenceSeconds = 45;

const name = z.string().min(1).max(100);
const sentence = z.string().max(2000);
/** What both sides must have chosen alike, by name. */
const choices = z.record(z.string().max(100), z.union([z.string().max(1000), z.number(), z.boolean()]));

/** From a client. */
const fromClient = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("hello"),
    protocol: z.number(),
    token: z.string().max(1000),
    client: name,
    model: name,
    choices,
  }),
  z.strictObject({ kind: z.literal("failed"), reason: sentence }),
  z.strictObject({ kind: z.literal("leaving") }),
  z.strictObject({ kind: z.literal("alive") }),
]);
/** From the coordinator. */
const fromCoordinator = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("welcome"),
    strategy: z.strictObject({ name, settings: z.record(name, z.number()) }),
  }),
  // Final: the client is not welcome, and need not come back as it is.
  z.strictObject({ kind: z.literal("refused"), reason: sentence, final: z.boolean() }),
  z.strictObject({ kind: z.literal("accepted"), round: z.number().int() }),
  z.strictObject({ kind: z.literal("finished"), rounds: z.number().int(), reason: sentence }),
  z.strictObject({ kind: z.literal("alive") }),
]);

/** What a client says. */
export type ClientWord = z.infer<typeof fromClient>;
/** What the coordinator says. */
export type CoordinatorWord = z.infer<typeof fromCoordinator>;
/** What both sides must have chosen alike, such as the recipe and its options, by name. */
export type Choices = z.infer<typeof choices>;

function read<T>(who: string, text: string, schema: z.ZodType<T>): T {
  try {
    if (text.length > mostText) throw new Error("too long");
    return schema.parse(parseJson(text));
  } catch (cause) {
    throw new FederationError(
      `${who} sent a message that this version (${protocolVersion}) does not know; install the same version of sardonyx on both sides`,
      { cause },
    );
  }
}

/** A client's words. Throws FederationError for what is none. */
export const readClientWord = (text: string): ClientWord => read("a client", text, fromClient);

/** The coordinator's words. Throws FederationError for what is none. */
export const readCoordinatorWord = (text: string): CoordinatorWord => read("the coordinator", text, fromCoordinator);

/** The most bytes of a task or an update: values and vectors of a strategy, which take 8 bytes an element masked and by topK, and their header. */
export const mostBytes = ({ length, tensors }: ModelDescription, vectors: number): number =>
  8 * length * (1 + vectors) + 1024 * (vectors + 2) * tensors.length + 1024 * 1024;

/** Why a client's choices are not the coordinator's; nothing where they are. */
export function differenceOf(own: Choices, client: Choices): string | undefined {
  const differing = [...new Set([...Object.keys(own), ...Object.keys(client)])].find((key) => own[key] !== client[key]);
  if (differing === undefined) return undefined;
  return `${differing} is ${client[differing] ?? "missing"} at the client and ${own[differing] ?? "missing"} at the coordinator; give both the same`;
}
