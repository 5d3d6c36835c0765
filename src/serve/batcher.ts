/** Requests that come together, computed together: what waits is joined to batches, and each is given its own part of the result. */

/** The clock and the event loop, which tests replace. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls back after some milliseconds; what it returns takes that back. */
  after(milliseconds: number, call: () => void): () => void;
  /** Calls back once everything that has arrived by now has been read. */
  soon(call: () => void): void;
}

/** How requests become batches. */
export interface BatcherOptions<T, R> {
  /** Rows of a batch at most. A larger request is a batch of its own. */
  readonly most: number;
  /** Milliseconds that the first of a batch waits for others at most. */
  readonly wait: number;
  /** Rows of a request. */
  readonly rowsOf: (item: T) => number;
  /** Only requests of one key go together, such as those of one shape. */
  readonly keyOf: (item: T) => string;
  /** Computes requests of one key: a result for each. */
  readonly run: (items: readonly T[]) => Promise<readonly R[]>;
  readonly clock: Clock;
  /** Is told the rows of each batch. */
  readonly onBatch?: (rows: number) => void;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly key: string;
  readonly rows: number;
  readonly since: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins requests to batches. While a batch is computed others gather. An idle batcher begins as soon as what has arrived is read, so that a
 * client alone does not wait; only where the batch before had more rows than there are now does it wait for them, at most `wait`.
 */
export class Batcher<T, R> {
  readonly #options: BatcherOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];
  #isBusy = false;
  /** Rows of the batch before. */
  #before = 1;
  #takeBack: (() => void) | undefined;

  constructor(options: BatcherOptions<T, R>) {
    this.#options = options;
  }

  /** Requests that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** The result for a request. Rejects with what computing it throws, and with the signal's reason when it is aborted before that. */
  submit(item: T, signal?: AbortSignal): Promise<R> {
    const { clock, keyOf, rowsOf } = this.#options;
    return new Promise<R>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const own = { item, key: keyOf(item), rows: rowsOf(item), since: clock.now(), signal, resolve, reject };
      this.#waiting.push(own);
      signal?.addEventListener("abort", () => this.#leave(own), { once: true });
      if (this.#waiting.length === 1 && !this.#isBusy) clock.soon(() => this.#consider());
      else if (this.#takeBack) this.#consider();
    });
  }

  #leave(own: Waiting<T, R>): void {
    const at = this.#waiting.indexOf(own);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    own.reject(own.signal?.reason);
  }

  /** Begins a batch, or waits for more. */
  #consider(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
    const [first] = this.#waiting;
    if (this.#isBusy || !first) return;
    const { most, wait, clock } = this.#options;
    const rows = this.#waiting.reduce((sum, own) => sum + (own.key === first.key ? own.rows : 0), 0);
    const left = first.since + wait - clock.now();
    if (rows < Math.min(most, this.#before) && left > 0)
      this.#takeBack = clock.after(left, () => {
        this.#takeBack = undefined;
        this.#begin();
      });
    else this.#begin();
  }

  #begin(): void {
    const batch = this.#take();
    const rows = batch.reduce((sum, own) => sum + own.rows, 0);
    if (rows === 0 && batch.length === 0) return;
    this.#before = rows;
    this.#isBusy = true;
    this.#options.onBatch?.(rows);
    void this.#compute(batch).finally(() => {
      this.#isBusy = false;
      // What arrived while it was computed is read first.
      if (this.#waiting.length > 0) this.#options.clock.soon(() => this.#consider());
    });
  }

  /** The first that waits, and those of its key for which there is room. */
  #take(): Waiting<T, R>[] {
    const [first] = this.#waiting;
    if (!first) return [];
    const batch: Waiting<T, R>[] = [];
    let rows = 0;
    this.#waiting = this.#waiting.filter((own) => {
      const fits = own.key === first.key && (own === first || rows + own.rows <= this.#options.most);
      if (!fits) return true;
      batch.push(own);
      rows += own.rows;
      return false;
    });
    return batch;
  }

  async #compute(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as R);
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      // One of them is wrong: the others are not refused for it.
      else for (const own of batch) await this.#compute([own]);
    }
  }
}
