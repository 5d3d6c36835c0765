/** A client's part of secure aggregation: its keys and seeds of a round, the shares of others', and the mask of its update. */
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { split } from "shamir-secret-sharing";
import * as z from "zod";
import { FederationError } from "../../core/errors.ts";
import { hexBytes, kindOfMessage, type SecureTask } from "../messages.ts";
import type { ModelDescription } from "../model-description.ts";
import { inOrder } from "../rounds.ts";
import { agreedKey, type KeyPair, keyBytes, keyPair, maskOf, seal, secretBytes, unseal } from "./key-agreement.ts";
import { addTo, toRing } from "./ring.ts";
import { decodeSecure, encodeSecure } from "./secure-messages.ts";
import { fewestMembers, mostMembers, thresholdOf } from "./threshold.ts";

const key = hexBytes(keyBytes);
const share = hexBytes(keyBytes + 1);
/** The state of a member between two questions: its secrets. */
export const memberStateSchema = z.object({
  name: z.string(),
  federation: z.string(),
  round: z.number(),
  attempt: z.number(),
  sealing: key,
  masking: key,
  seed: key,
  members: z.array(z.tuple([z.string(), z.object({ sealing: key, masking: key })])).optional(),
  shares: z.array(z.tuple([z.string(), z.object({ seed: share, key: share })])),
  survivors: z.string().optional(),
});
/** The state of a member between two questions: its secrets. */
export type MemberState = z.infer<typeof memberStateSchema>;

/** Public keys of a client. */
interface PublicKeys {
  readonly sealing: Uint8Array;
  readonly masking: Uint8Array;
}

/** Shares of a client's secrets. */
interface Shares {
  readonly seed: Uint8Array;
  readonly key: Uint8Array;
}

/** What a client has of the round under way. */
interface MemberRound {
  readonly name: string;
  readonly federation: string;
  readonly round: number;
  readonly attempt: number;
  readonly sealing: KeyPair;
  readonly masking: KeyPair;
  /** Of the mask of its own, which only many others together can take away. */
  readonly seed: Uint8Array;
  /** Whose updates may be added up, from the roster on. */
  members?: ReadonlyMap<string, PublicKeys> | undefined;
  /** Shares of each of those whose updates are added up, its own too, from the task on. */
  shares: ReadonlyMap<string, Shares>;
  /** Whom it was told of as survivors: it answers that once. */
  survivors?: string | undefined;
}

const keysOf = ({ sealing, masking }: { readonly sealing: string; readonly masking: string }): PublicKeys => ({
  sealing: hexToBytes(sealing),
  masking: hexToBytes(masking),
});

/** What keys and masks are of: those of another use differ. */
const purposeOf = ({ federation, round, attempt }: MemberRound, ...use: readonly string[]): string =>
  JSON.stringify(["sardonyx federation", federation, round, attempt, ...use]);

/** The seed of the mask that two clients have in common. */
export const pairPurpose = (
  of: { readonly federation: string; readonly round: number; readonly attempt: number },
  a: string,
  b: string,
): string => purposeOf(of as MemberRound, "mask", ...inOrder([a, b]));

/**
 * Answers what a coordinator asks in secure aggregation (Bonawitz et al. 2017, fig. 4): keys, shares of its secrets for the others, a masked update, and at the end shares of
 * the others' secrets: of each client either that of its own mask or that of its key, never both. Within a round it does not depend on the coordinator's good will that no update is
 * seen, as long as two thirds of the clients do as this one: it takes part with three clients or more, and says once who survived. What sums of several rounds tell is for noise to hide.
 */
export class SecureMember {
  #round: MemberRound | undefined;

  /** @param state what `state` gave, of a simulation that goes on in the middle of a round */
  constructor(state?: MemberState) {
    this.#round = state && {
      ...state,
      sealing: keyPair(hexToBytes(state.sealing)),
      masking: keyPair(hexToBytes(state.masking)),
      seed: hexToBytes(state.seed),
      members: state.members && new Map(state.members.map(([name, own]) => [name, keysOf(own)])),
      shares: new Map(
        state.shares.map(([name, { seed, key }]) => [name, { seed: hexToBytes(seed), key: hexToBytes(key) }]),
      ),
    };
  }

  /** Its secrets of the round under way. */
  get state(): MemberState | undefined {
    const own = this.#round;
    return (
      own && {
        ...own,
        sealing: bytesToHex(own.sealing.secret),
        masking: bytesToHex(own.masking.secret),
        seed: bytesToHex(own.seed),
        members:
          own.members &&
          Array.from(own.members, ([name, { sealing, masking }]) => [
            name,
            { sealing: bytesToHex(sealing), masking: bytesToHex(masking) },
          ]),
        shares: Array.from(own.shares, ([name, { seed, key }]) => [
          name,
          { seed: bytesToHex(seed), key: bytesToHex(key) },
        ]),
      }
    );
  }

  /** Whether bytes are a question that it answers itself. */
  static asks(bytes: Uint8Array): boolean {
    return ["askKeys", "roster", "unmask"].includes(kindOfMessage(bytes));
  }

  /** The answer to a question, and of which round it is. Throws FederationError for one that is none, or that it must not answer. */
  async answer(
    description: ModelDescription,
    question: Uint8Array,
  ): Promise<{ readonly answer: Uint8Array; readonly round: number }> {
    const kind = kindOfMessage(question);
    if (kind === "askKeys") return this.#keys(description, question);
    return kind === "roster" ? this.#shares(description, question) : this.#reveal(description, question);
  }

  #keys(description: ModelDescription, question: Uint8Array) {
    const asked = decodeSecure("the coordinator's question", description, "askKeys", question);
    const { client: name, federation, round, attempt } = asked;
    const own = this.#round;
    const isSame =
      own?.name === name && own.federation === federation && own.round === round && own.attempt === attempt;
    if (own?.survivors !== undefined && own.federation === federation && round <= own.round)
      throw new FederationError(
        `the coordinator begins round ${round} again, whose sum was unmasked: two sums of one round could tell an update; go on from the coordinator's state`,
      );
    if (!isSame || own.members) {
      this.#round = {
        ...{ name, federation, round, attempt },
        sealing: keyPair(secretBytes()),
        masking: keyPair(secretBytes()),
        seed: secretBytes(),
        shares: new Map(),
      };
    }
    const { sealing, masking } = this.#round as MemberRound;
    const keys = { sealing: bytesToHex(sealing.public), masking: bytesToHex(masking.public) };
    return { answer: encodeSecure(description, "keys", { client: name, round, attempt, ...keys }), round };
  }

  /** The round that a message is of. Throws FederationError where this client has no secrets of it. */
  #required({ round, attempt }: { readonly round: number; readonly attempt: number }): MemberRound {
    if (this.#round?.round === round && this.#round.attempt === attempt) return this.#round;
    throw new FederationError(
      `this client has no keys of round ${round}, since it was started after they were asked for; it takes part in the next`,
    );
  }

  async #shares(description: ModelDescription, question: Uint8Array) {
    const where = "the coordinator's list of clients";
    const roster = decodeSecure(where, description, "roster", question);
    const own = this.#required(roster);
    const { name, round, attempt } = own;
    const members = new Map(roster.members.map(({ name, ...keys }) => [name, keysOf(keys)]));
    const said = roster.members.find((member) => member.name === name);
    const isOwn = said?.sealing === bytesToHex(own.sealing.public) && said.masking === bytesToHex(own.masking.public);
    const keys = new Set(roster.members.flatMap(({ sealing, masking }) => [sealing, masking]));
    if (members.size < roster.members.length || keys.size < 2 * members.size || !isOwn)
      throw new FederationError(
        `${where} has a client or a key twice, or other keys of this client; leave the federation`,
      );
    if (members.size < fewestMembers || members.size > mostMembers)
      throw new FederationError(
        `${where} has ${members.size}, and ${fewestMembers} to ${mostMembers} can hide one another's updates; let other numbers of clients take part`,
      );
    if (own.members)
      throw new FederationError(
        `${where} of round ${round} came a second time; this client takes part in the next round`,
      );
    own.members = members;
    const threshold = thresholdOf(members.size);
    const [seeds, secrets] = [
      await split(own.seed, members.size, threshold),
      await split(own.masking.secret, members.size, threshold),
    ];
    const sealed: { name: string; share: string }[] = [];
    for (const [place, [other, { sealing }]] of [...members].entries()) {
      const shares = { seed: seeds[place] as Uint8Array, key: secrets[place] as Uint8Array };
      // That of its own, too: it keeps none.
      const key = agreedKey(own.sealing.secret, sealing, purposeOf(own, "shares", name, other));
      sealed.push({ name: other, share: bytesToHex(seal(key, concatBytes(shares.seed, shares.key))) });
    }
    return { answer: encodeSecure(description, "shares", { client: name, round, attempt, sealed }), round };
  }

  /**
   * Takes up whose updates are added up, and what they sealed for this client, before it trains. Throws FederationError for too few, for clients that the list did not
   * have, and for shares that were changed.
   */
  begin(round: number, { attempt, peers }: SecureTask): void {
    const own = this.#required({ round, attempt });
    const { name, members } = own;
    const where = `the coordinator's task of round ${round}`;
    const names = new Set(peers.map((peer) => peer.name));
    const least = thresholdOf(members?.size ?? 0);
    if (names.size < least || names.size < fewestMembers || !names.has(name))
      throw new FederationError(
        `${where} is of ${names.size} clients, and ${Math.max(least, fewestMembers)} of the ${members?.size ?? 0} are needed, this one among them; leave the federation`,
      );
    if (own.shares.size > 0) {
      // The same task again, of a coordinator that goes on.
      if (inOrder(own.shares.keys()).join("\n") === inOrder(names).join("\n")) return;
      throw new FederationError(
        `${where} came a second time with other clients; this client takes part in the next round`,
      );
    }
    const shares = new Map<string, Shares>();
    for (const { name: other, sealed } of peers) {
      const keys = members?.get(other);
      if (!keys || sealed === undefined)
        throw new FederationError(`${where} has a client "${other}" without keys or shares; leave the federation`);
      const key = agreedKey(own.sealing.secret, keys.sealing, purposeOf(own, "shares", other, name));
      const bytes = unseal(key, hexToBytes(sealed), `what client "${other}" sealed for this one`);
      if (bytes.length !== 2 * (keyBytes + 1))
        throw new FederationError(`what client "${other}" sealed for this one are no shares; leave it out`);
      shares.set(other, { seed: bytes.subarray(0, keyBytes + 1), key: bytes.subarray(keyBytes + 1) });
    }
    own.shares = shares;
  }

  /** How many clients unmask the sum of the round under way. */
  get threshold(): number {
    return thresholdOf(this.#round?.members?.size ?? 0);
  }

  /** The message with the masked update of a round that was begun. Throws FederationError for numbers that are too large to be added up. */
  masked(
    description: ModelDescription,
    { round, attempt }: { round: number; attempt: number },
    values: ArrayLike<number>,
  ): Uint8Array {
    const own = this.#required({ round, attempt });
    const { name, members, shares } = own;
    const sum = toRing(values, members?.size ?? mostMembers);
    addTo(sum, maskOf(own.seed, values.length), 1);
    for (const other of shares.keys()) {
      const keys = members?.get(other);
      if (other === name || !keys) continue;
      const seed = agreedKey(own.masking.secret, keys.masking, pairPurpose(own, name, other));
      addTo(sum, maskOf(seed, values.length), name < other ? 1 : -1);
    }
    return encodeSecure(description, "masked", { client: name, round, attempt }, sum);
  }

  #reveal(description: ModelDescription, question: Uint8Array) {
    const where = "the coordinator's question who survived";
    const asked = decodeSecure(where, description, "unmask", question);
    const own = this.#required(asked);
    const { name, members, shares, round, attempt } = own;
    const survivors = new Set(asked.survivors);
    const said = inOrder(survivors).join("\n");
    const least = thresholdOf(members?.size ?? 0);
    if (survivors.size < least || survivors.size < asked.survivors.length || !survivors.has(name))
      throw new FederationError(
        `${where} names ${survivors.size} clients, and ${least} are needed, each once and this one among them; leave the federation`,
      );
    const stray = asked.survivors.find((survivor) => !shares.has(survivor));
    if (stray !== undefined || (own.survivors !== undefined && own.survivors !== said))
      throw new FederationError(
        `${where} ${stray === undefined ? "came a second time with other names" : `names "${stray}", which is not of this round`}; leave the federation`,
      );
    own.survivors = said;
    const sharesOf = (of: "seed" | "key", isAsked: (client: string) => boolean) =>
      [...shares].flatMap(([client, own]) => (isAsked(client) ? [{ name: client, share: bytesToHex(own[of]) }] : []));
    const answer = encodeSecure(description, "revealed", {
      ...{ client: name, round, attempt },
      seeds: sharesOf("seed", (client) => survivors.has(client)),
      keys: sharesOf("key", (client) => !survivors.has(client)),
    });
    return { answer, round };
  }
}
