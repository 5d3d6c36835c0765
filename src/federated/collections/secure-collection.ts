/**
 * Updates of which the coordinator learns the sum alone (Bonawitz et al. 2017, fig. 4): it asks for keys, has shares passed on, adds up masked updates, and asks the clients that are
 * left for what takes the masks away.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { combine } from "shamir-secret-sharing";
import * as z from "zod";
import { FederationError } from "../../core/errors.ts";
import { kindOfMessage } from "../messages.ts";
import { requireFiniteValues } from "../model-description.ts";
import { changeNoise } from "../noise.ts";
import { inOrder } from "../rounds.ts";
import { agreedKey, keyBytes, keyPair, maskOf } from "../secure/key-agreement.ts";
import { pairPurpose } from "../secure/member.ts";
import { addTo, fromRing, type Ring } from "../secure/ring.ts";
import { decodeMasked, decodeSecure, encodeSecure, type Said } from "../secure/secure-messages.ts";
import { fewestMembers, mostMembers, thresholdOf } from "../secure/threshold.ts";
import type { Answer, Collected, CollectedRound, Collection, NextStep } from "./collection.ts";

/** The questions, in order. */
const questions = ["keys", "shares", "updates", "unmasking"] as const;
type Question = (typeof questions)[number];

const text = z.string();
/** What is kept of it, which is all that the coordinator ever holds. */
export const secureStateSchema = z.object({
  kind: z.literal("secure"),
  question: z.enum(questions),
  drawn: z.array(text),
  dropped: z.record(text, text),
  keys: z.record(text, z.object({ sealing: text, masking: text })),
  shares: z.record(text, z.record(text, text)),
  masked: z.record(
    text,
    z.custom<Ring>((value) => value instanceof Uint32Array),
  ),
  revealed: z.record(text, z.object({ seeds: z.record(text, text), keys: z.record(text, text) })),
});
/** What is kept of it. */
export type SecureState = z.infer<typeof secureStateSchema>;

/** Numbers behind the vectors of a masked update: samples, and samples times loss. */
const extras = 2;

/** What a client masks: its change and what it returns, weighted, and its samples. */
export function maskedVector(
  { change, returned, samples, loss }: Pick<Collected, "change" | "returned" | "samples" | "loss">,
  weight: number,
): Float64Array {
  const vectors = Object.keys(returned).sort();
  const { length } = change;
  const all = new Float64Array(length * (1 + vectors.length) + extras);
  for (let i = 0; i < length; i++) all[i] = weight * (change[i] as number);
  for (const [place, name] of vectors.entries()) all.set(returned[name] as Float32Array, length * (1 + place));
  all.set([samples, samples * (loss ?? 0)], all.length - extras);
  return all;
}

/** Asks each client for keys, shares, its masked update, and what unmasks the sum. */
export class SecureCollection implements Collection {
  readonly #round: CollectedRound;
  readonly #elements: number;
  readonly #drawn: readonly string[];
  readonly #dropped: Map<string, string>;
  readonly #keys: Map<string, SecureState["keys"][string]>;
  readonly #shares: Map<string, SecureState["shares"][string]>;
  readonly #masked: Map<string, Ring>;
  readonly #revealed: Map<string, SecureState["revealed"][string]>;
  /** Survivors that cannot say what unmasks the sum; their updates are part of it. */
  readonly #silent = new Set<string>();
  #question: Question;

  /** Throws FederationError for so few or so many clients that they cannot hide one another's updates. */
  constructor(round: CollectedRound, state?: SecureState) {
    this.#round = round;
    const { description, federation, drawn } = round;
    if (!state && (drawn.length < fewestMembers || drawn.length > mostMembers))
      throw new FederationError(
        `secureMean: round ${round.round} has ${drawn.length} clients, and ${fewestMembers} to ${mostMembers} can hide one another's updates; let other numbers of clients take part`,
      );
    this.#elements = description.length * (1 + (federation.strategy.local?.remembers.length ?? 0)) + extras;
    this.#drawn = state?.drawn ?? drawn;
    this.#question = state?.question ?? "keys";
    this.#dropped = new Map(Object.entries(state?.dropped ?? {}));
    this.#keys = new Map(Object.entries(state?.keys ?? {}));
    this.#shares = new Map(Object.entries(state?.shares ?? {}));
    this.#masked = new Map(Object.entries(state?.masked ?? {}));
    this.#revealed = new Map(Object.entries(state?.revealed ?? {}));
  }

  /** Answers to each question by client. */
  #answers(question: Question): ReadonlyMap<string, unknown> {
    return { keys: this.#keys, shares: this.#shares, updates: this.#masked, unmasking: this.#revealed }[question];
  }

  get asked(): readonly string[] {
    const before = questions[questions.indexOf(this.#question) - 1];
    return before ? inOrder(this.#answers(before).keys()) : this.#drawn;
  }

  get waiting(): readonly string[] {
    const answers = this.#answers(this.#question);
    const isOut = (name: string) => (this.#question === "unmasking" ? this.#silent.has(name) : this.#dropped.has(name));
    return this.asked.filter((name) => !answers.has(name) && !isOut(name));
  }

  get dropped(): ReadonlyMap<string, string> {
    return this.#dropped;
  }

  get updates(): number {
    return this.#masked.size;
  }

  get asking(): string {
    return this.#question;
  }

  get asksForUpdates(): boolean {
    return this.#question === "updates";
  }

  /** Clients that are needed to unmask. */
  get #threshold(): number {
    return thresholdOf(this.#keys.size);
  }

  question(client: string): Uint8Array {
    const { description, round, attempt, id, federation } = this.#round;
    const said = { client, round, attempt };
    if (this.#question === "keys") return encodeSecure(description, "askKeys", { ...said, federation: id });
    if (this.#question === "shares") {
      const members = inOrder(this.#keys.keys()).map((name) => ({
        name,
        ...(this.#keys.get(name) as SecureState["keys"][string]),
      }));
      return encodeSecure(description, "roster", { ...said, members });
    }
    if (this.#question === "unmasking")
      return encodeSecure(description, "unmask", { ...said, survivors: inOrder(this.#masked.keys()) });
    const peers = this.asked.map((name) => {
      const sealed = this.#shares.get(name)?.[client];
      return { name, ...(sealed !== undefined && { sealed }) };
    });
    const { noise } = federation;
    return this.#round.task(client, {
      secure: { attempt, peers },
      ...(noise && { noise: changeNoise(noise, this.#threshold) }),
    });
  }

  /** The fewest updates of the sum. */
  get #least(): number {
    return Math.max(this.#round.least, this.#threshold, fewestMembers - 1);
  }

  read(client: string, bytes: Uint8Array): Answer | undefined {
    const { description, attempt } = this.#round;
    const where = this.asksForUpdates ? `the update of client "${client}"` : `the answer of client "${client}"`;
    const kinds = { keys: "keys", shares: "shares", updates: "masked", unmasking: "revealed" } as const;
    const kind = kindOfMessage(bytes);
    if (kind !== kinds[this.#question] && Object.values<string>(kinds).includes(kind)) return undefined;
    /** Reads an answer of this attempt; of another one, it comes too late. */
    const answer = <T extends Pick<Said<"masked">, "client" | "attempt" | "round">>(
      said: T,
      taken: (said: T) => () => void,
    ) => {
      if (said.client !== client)
        throw new FederationError(`${where} says that it is of "${said.client}"; send each client's own`);
      return said.attempt === attempt ? { round: said.round, take: taken(said) } : undefined;
    };
    if (this.#question === "keys")
      return answer(decodeSecure(where, description, "keys", bytes), ({ sealing, masking }) => () => {
        this.#keys.set(client, { sealing, masking });
      });
    if (this.#question === "shares")
      return answer(decodeSecure(where, description, "shares", bytes), ({ sealed }) => {
        const shares = sharesOf(where, sealed, this.asked);
        return () => void this.#shares.set(client, shares);
      });
    if (this.#question === "updates")
      return answer(decodeMasked(where, description, bytes, this.#elements), ({ masked }) => () => {
        this.#masked.set(client, masked);
      });
    return answer(decodeSecure(where, description, "revealed", bytes), (said) => {
      const seeds = sharesOf(where, said.seeds, [...this.#masked.keys()]);
      const keys = sharesOf(where, said.keys, this.#vanished);
      return () => void this.#revealed.set(client, { seeds, keys });
    });
  }

  /** Clients that hid their updates in those of others, and sent none. */
  get #vanished(): readonly string[] {
    return inOrder(this.#shares.keys()).filter((name) => !this.#masked.has(name));
  }

  drop(client: string, reason: string): void {
    if (this.#question === "unmasking") this.#silent.add(client);
    else this.#dropped.set(client, reason);
  }

  next(reason: string): NextStep {
    if (this.#question !== "unmasking") for (const name of this.waiting) this.drop(name, reason);
    const { least } = this.#round;
    if (this.#question === "keys") {
      if (this.#keys.size < Math.max(least, fewestMembers)) return "lacks";
      this.#question = "shares";
    } else if (this.#question === "shares") {
      if (this.#shares.size < Math.max(this.#least, fewestMembers)) return "lacks";
      this.#question = "updates";
    } else if (this.#question === "updates") {
      if (this.#masked.size < this.#least) return "lacks";
      this.#question = "unmasking";
    } else if (this.#revealed.size >= this.#threshold) return "ends";
    else {
      const able = this.#masked.size - this.#silent.size;
      if (able < this.#threshold)
        throw new FederationError(
          `round ${this.#round.round}: ${able} of its clients can unmask the sum of their updates, and ${this.#threshold} are needed; begin anew, with clients that are not started again in a round`,
        );
      return "waits";
    }
    return "asks";
  }

  async result(): Promise<Collected> {
    const { description, federation, round } = this.#round;
    const { strategy, noise } = federation;
    const clients = inOrder(this.#masked.keys());
    const sum = await this.#unmasked(clients);
    const values = fromRing(sum);
    const { length } = description;
    const [samples = 0, losses = 0] = values.subarray(values.length - extras);
    const weight = strategy.weights === "samples" && !noise ? samples : clients.length;
    // Of masks that were not taken away whole, what is left is no whole number.
    if (!Number.isInteger(samples) || samples < clients.length)
      throw new FederationError(
        `the sum of round ${round} is of ${samples} samples at ${clients.length} clients; one of them sent what is no update, or shares that are none`,
      );
    const change = Float32Array.from(values.subarray(0, length), (value) => value / weight);
    requireFiniteValues(`the sum of round ${round}`, description, change);
    const names = [...(strategy.local?.remembers ?? [])].sort();
    const returned = Object.fromEntries(
      names.map((name, place) => {
        const at = length * (1 + place);
        return [name, Float32Array.from(values.subarray(at, at + length), (value) => value / clients.length)];
      }),
    );
    return { clients, change, returned, samples, loss: noise ? undefined : losses / samples };
  }

  /** The sum of the updates: masks of survivors' own taken away, and those that they had in common with clients that vanished. */
  async #unmasked(survivors: readonly string[]): Promise<Ring> {
    const { id, round, attempt } = this.#round;
    const of = { federation: id, round, attempt };
    const sum: Ring = new Uint32Array(2 * this.#elements);
    for (const name of survivors) {
      addTo(sum, this.#masked.get(name) as Ring, 1);
      const seed = await this.#combined("seeds", name);
      addTo(sum, maskOf(seed, this.#elements), -1);
    }
    for (const name of this.#vanished) {
      const secret = await this.#combined("keys", name);
      if (!sameBytes(keyPair(secret).public, hexToBytes(this.#keys.get(name)?.masking ?? "")))
        throw new FederationError(
          `round ${round}: the shares of client "${name}" make another key than it had; a client sent shares that are none`,
        );
      for (const other of survivors) {
        const key = hexToBytes(this.#keys.get(other)?.masking ?? "");
        const mask = maskOf(agreedKey(secret, key, pairPurpose(of, name, other)), this.#elements);
        // What the survivor added is taken away.
        addTo(sum, mask, other < name ? -1 : 1);
      }
    }
    return sum;
  }

  /** A secret from its shares. */
  async #combined(of: "seeds" | "keys", name: string): Promise<Uint8Array> {
    const shares = [...this.#revealed.values()].slice(0, this.#threshold).map((own) => hexToBytes(own[of][name] ?? ""));
    const secret = await combine(shares);
    if (secret.length === keyBytes) return secret;
    throw new FederationError(`the shares of client "${name}" make no secret; a client sent shares that are none`);
  }

  state(): SecureState {
    return {
      kind: "secure",
      question: this.#question,
      drawn: [...this.#drawn],
      dropped: Object.fromEntries(this.#dropped),
      keys: Object.fromEntries(this.#keys),
      shares: Object.fromEntries(this.#shares),
      masked: Object.fromEntries(this.#masked),
      revealed: Object.fromEntries(this.#revealed),
    };
  }
}

/** Shares by client. Throws FederationError unless there is one of each of these. */
function sharesOf(
  where: string,
  shares: readonly { readonly name: string; readonly share: string }[],
  names: readonly string[],
): Record<string, string> {
  const own = Object.fromEntries(shares.map(({ name, share }) => [name, share]));
  if (inOrder(Object.keys(own)).join("\n") === inOrder(names).join("\n") && shares.length === names.length) return own;
  throw new FederationError(`${where} has shares of other clients than it was asked for; send one of each`);
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
