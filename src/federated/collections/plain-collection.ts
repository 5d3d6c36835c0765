/** Updates that the coordinator sees: one question, the task, and the aggregation of what comes back. */
import * as z from "zod";
import { type ClientUpdate, decodeUpdate } from "../messages.ts";
import { changeNoise, clipTo } from "../noise.ts";
import { inOrder } from "../rounds.ts";
import { savedVectors } from "../saved-vectors.ts";
import type { Answer, Collected, CollectedRound, Collection, NextStep } from "./collection.ts";

const whole = z.number().int().nonnegative();
const vector = z.custom<Float32Array>((value) => value instanceof Float32Array);
const updateSchema = z.object({
  samples: whole,
  steps: whole,
  loss: z.number().optional(),
  change: vector,
  returned: z.record(z.string(), vector),
});

/** What is kept of it. */
export const plainStateSchema = z.object({
  kind: z.literal("plain"),
  clients: z.array(z.string()),
  dropped: z.record(z.string(), z.string()),
  updates: z.record(z.string(), updateSchema),
});
/** What is kept of it. */
export type PlainState = z.infer<typeof plainStateSchema>;

/** Asks each client for its update. */
export class PlainCollection implements Collection {
  readonly #round: CollectedRound;
  readonly #updates = new Map<string, ClientUpdate>();
  readonly #dropped = new Map<string, string>();
  readonly asked: readonly string[];
  readonly asksForUpdates = true;
  readonly asking = "updates";

  constructor(round: CollectedRound, state?: PlainState) {
    this.#round = round;
    this.asked = state?.clients ?? round.drawn;
    for (const [client, update] of Object.entries(state?.updates ?? {}))
      this.#updates.set(client, { round: round.round, client, ...update });
    for (const [client, reason] of Object.entries(state?.dropped ?? {})) this.#dropped.set(client, reason);
  }

  get waiting(): readonly string[] {
    return this.asked.filter((name) => !this.#updates.has(name) && !this.#dropped.has(name));
  }

  get dropped(): ReadonlyMap<string, string> {
    return this.#dropped;
  }

  get updates(): number {
    return this.#updates.size;
  }

  question(client: string): Uint8Array {
    const { noise } = this.#round.federation;
    return this.#round.task(client, noise ? { noise: changeNoise(noise, 1) } : {});
  }

  read(client: string, bytes: Uint8Array): Answer {
    const { description, federation } = this.#round;
    const { strategy, compression, noise } = federation;
    const returns = strategy.local?.remembers ?? [];
    const update = decodeUpdate(client, description, bytes, { compression, returns });
    // Whatever it says that it did.
    if (noise && noise.by !== "clients") clipTo(update.change, noise.clip);
    return { round: update.round, take: () => void this.#updates.set(client, update) };
  }

  drop(client: string, reason: string): void {
    this.#dropped.set(client, reason);
  }

  next(reason: string): NextStep {
    for (const name of this.waiting) this.drop(name, reason);
    return this.#updates.size >= this.#round.least ? "ends" : "lacks";
  }

  async result(): Promise<Collected> {
    const { strategy, aggregation, noise } = this.#round.federation;
    const clients = inOrder(this.#updates.keys());
    const own = clients.map((name) => this.#updates.get(name) as ClientUpdate);
    const weightOf = ({ samples }: ClientUpdate) => (strategy.weights === "samples" && !noise ? samples : 1);
    const change = aggregation.combine(own.map((update) => ({ values: update.change, weight: weightOf(update) })));
    const equal = (name: string) => own.map(({ returned }) => ({ values: returned[name] as Float32Array, weight: 1 }));
    const returned = Object.fromEntries(
      (strategy.local?.remembers ?? []).map((name) => [name, aggregation.combine(equal(name))] as const),
    );
    const samples = own.reduce((sum, update) => sum + update.samples, 0);
    const loss = noise
      ? undefined
      : own.reduce((sum, update) => sum + ((update.loss ?? Number.NaN) * update.samples) / samples, 0);
    return { clients, change, returned, samples, loss };
  }

  state(): PlainState {
    return {
      kind: "plain",
      clients: [...this.asked],
      dropped: Object.fromEntries(this.#dropped),
      updates: Object.fromEntries(
        Array.from(this.#updates, ([name, { round: _, client: __, change, returned, ...rest }]) => [
          name,
          { ...rest, change: change.slice(), returned: savedVectors(returned) },
        ]),
      ),
    };
  }
}
