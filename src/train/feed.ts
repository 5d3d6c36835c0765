/** The batches of a run, one step after another; what frozen layers give for their samples is kept from epoch to epoch. */
import { median } from "../core/lists.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import { numberedBatches } from "./engine/numbered.ts";
import { type CacheOptions, PrefixCache, readingEpochs } from "./engine/prefix-cache.ts";
import type { StepResult, Trainer } from "./engine/trainer.ts";

export class Feed<B extends Batch> {
  readonly #trainer: Trainer<B>;
  readonly #data: Dataset<B>;
  readonly #cache: PrefixCache | undefined;
  /** Why nothing is kept, where that is to be told. */
  readonly #why: string | undefined;
  /** Milliseconds of batches: of the first epoch, and of those that were not read any more. */
  readonly #times = { first: [] as number[], kept: [] as number[] };
  #epochs = 0;

  /** @param epochs how many are left to train */
  constructor(trainer: Trainer<B>, data: Dataset<B>, epochs: number, option: false | CacheOptions = {}) {
    this.#trainer = trainer;
    this.#data = data;
    const { samples = "its samples have no numbers" } = data.source;
    const mayKeep = option !== false && epochs >= readingEpochs && trainer.phases.length === 1;
    if (mayKeep && typeof samples === "string") this.#why = samples;
    if (!mayKeep || typeof samples === "string") return;
    this.#cache = new PrefixCache(option, samples.bound);
    trainer.cutsPrefix = true;
  }

  /** The steps of an epoch, each to be made before the next is asked for. */
  async *steps(epoch: number, skip: number): AsyncGenerator<() => Promise<StepResult>> {
    const [trainer, cache] = [this.#trainer, this.#cache];
    if (!cache) {
      for await (const batch of this.#data.epoch(epoch, { skip })) yield () => trainer.step(batch);
      return;
    }
    const epochs = this.#epochs++;
    const times = epochs === 0 ? this.#times.first : epochs < readingEpochs ? [] : this.#times.kept;
    let began = performance.now();
    for await (const { samples = [], read } of numberedBatches(this.#data, epoch, {
      skip,
      reads: epochs < readingEpochs,
    })) {
      const since = began;
      yield async () => {
        const result = await trainer.stepNumbered({ samples, read }, cache);
        times.push(performance.now() - since);
        return result;
      };
      began = performance.now();
    }
  }

  /** What to know of the frozen part of the model, where it makes much of the work. */
  notes(): readonly string[] {
    const { frozenShare } = this.#trainer;
    if (frozenShare === 0) return [];
    const frozen = `the frozen layers before the trained ones, ${Math.round(100 * frozenShare)} % of the work without gradients,`;
    const why = this.#why ?? this.#cache?.refusal;
    if (why !== undefined) return [`${frozen} were computed anew in each epoch, since ${why}`];
    const { samples, bytes } = this.#cache?.size ?? { samples: 0, bytes: 0 };
    if (samples === 0) return [];
    const [first, kept] = [median(this.#times.first), median(this.#times.kept)];
    const speed = Number.isNaN(kept)
      ? ""
      : `; a batch of later epochs took ${milliseconds(kept)} in place of ${milliseconds(first)}, ${(first / kept).toFixed(1)} times less`;
    return [
      `${frozen} were computed once for each of ${samples} samples and kept, ${(bytes / 1e6).toFixed(1)} MB${speed}`,
    ];
  }

  /** Lets go of what is kept. */
  close(): void {
    this.#cache?.close();
    this.#trainer.cutsPrefix = false;
  }
}

const milliseconds = (time: number): string => `${time.toPrecision(3)} ms`;
