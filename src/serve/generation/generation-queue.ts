/** Requests to write that share a decoder: each joins between two tokens of the others, and leaves when it is done (continuous batching). */
import { DataError, SardonyxError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import type { Row, RowDecoder } from "../../decode/row-decoder.ts";
import { type SamplingOptions, sampleToken } from "../../decode/sampling.ts";

/** What is to be written. */
export interface GenerationRequest {
  /** Ids of the prompt's tokens, one at least. */
  readonly prompt: readonly number[];
  /** Tokens to write at most. */
  readonly most: number;
  readonly sampling: SamplingOptions;
  /** Draws the tokens. */
  readonly random: Random;
  /** The variant of the model that writes, such as an adapter; default the base. */
  readonly variant?: string | undefined;
  /** The token that ends the text, which is not given. */
  readonly end?: number | undefined;
  /** Ends it when its client has gone. */
  readonly signal?: AbortSignal | undefined;
}

/** A token that was written. */
export interface WrittenToken {
  readonly token: number;
  /** What the model expected, [vocabulary]. */
  readonly logits: Float32Array;
}

/** Why a text ends: it came to its end, or to the most tokens that it may have. */
export type Ending = "stop" | "length";

/** A request under way. */
class Writing {
  readonly request: GenerationRequest;
  row: Row | undefined;
  /** Tokens of the prompt that were read. */
  read = 0;
  /** The token that is read next, once the prompt is. */
  next: number | undefined;
  count = 0;
  /** Nobody waits for it any more. */
  isLeft = false;
  readonly #tokens: WrittenToken[] = [];
  #ending: Ending | undefined;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(request: GenerationRequest) {
    this.request = request;
  }

  give(written: WrittenToken): void {
    this.#tokens.push(written);
    this.#wake?.();
  }

  finish(ending: Ending): void {
    this.#ending = ending;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#wake?.();
  }

  get isDone(): boolean {
    return this.isLeft || this.#ending !== undefined || this.#error !== undefined;
  }

  /** The tokens as they come. */
  async *tokens(): AsyncGenerator<WrittenToken, Ending> {
    for (;;) {
      const written = this.#tokens.shift();
      if (written) yield written;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.#ending) return this.#ending;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}

/** Is told of the work, for metrics. */
export interface GenerationObserver {
  /** Texts that a step went on with. */
  onStep?(texts: number): void;
}

/** Writes for all who ask, a token of each at a time; prompts are read a piece at a time between. */
export class GenerationQueue {
  readonly #decoder: RowDecoder;
  readonly #observer: GenerationObserver;
  readonly #waiting: Writing[] = [];
  #active: Writing[] = [];
  #isRunning = false;

  constructor(decoder: RowDecoder, observer: GenerationObserver = {}) {
    this.#decoder = decoder;
    this.#observer = observer;
  }

  /** Requests that wait for a row. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Tokens after a prompt, and why they end. A loop over it that is left ends the request. Throws DataError for a prompt that is empty or
   * leaves no room to write, and the signal's reason.
   */
  async *generate(request: GenerationRequest): AsyncGenerator<WrittenToken, Ending> {
    const { prompt, signal } = request;
    const { capacity } = this.#decoder;
    if (prompt.length === 0) throw new DataError("the prompt has no tokens; send a text");
    if (prompt.length >= capacity)
      throw new DataError(
        `the prompt has ${prompt.length} tokens, and the context is ${capacity} with what is written; shorten it`,
      );
    signal?.throwIfAborted();
    const writing = new Writing(request);
    const left = () => writing.fail(signal?.reason);
    signal?.addEventListener("abort", left, { once: true });
    this.#waiting.push(writing);
    if (!this.#isRunning) void this.#run();
    try {
      return yield* writing.tokens();
    } finally {
      writing.isLeft = true;
      signal?.removeEventListener("abort", left);
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#admit()) {
      const reading = this.#active.find(({ next }) => next === undefined);
      if (reading) await this.#attempt([reading], () => this.#readPiece(reading));
      const writing = this.#active.filter((own) => own.next !== undefined && !own.isDone);
      if (writing.length > 0) await this.#attempt(writing, () => this.#step(writing));
    }
    this.#isRunning = false;
  }

  /** Lets go of what is done, and takes in what waits. Returns whether there is anything to do. */
  #admit(): boolean {
    for (const { row, isDone } of this.#active) if (isDone && row) this.#decoder.leave(row);
    this.#active = this.#active.filter(({ isDone }) => !isDone);
    while (this.#waiting.length > 0 && this.#decoder.count < this.#decoder.rows) {
      const own = this.#waiting.shift() as Writing;
      if (own.isDone) continue;
      own.row = this.#decoder.join(own.request.variant);
      this.#active.push(own);
    }
    return this.#active.length > 0;
  }

  /** Does something for some requests, which fail with it. */
  async #attempt(some: readonly Writing[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const own of some) own.fail(error);
    }
  }

  async #readPiece(own: Writing): Promise<void> {
    const { prompt } = own.request;
    const piece = prompt.slice(own.read, own.read + this.#decoder.chunk);
    const logits = await this.#decoder.read(own.row as Row, piece);
    own.read += piece.length;
    if (own.read === prompt.length) this.#accept(own, logits);
  }

  async #step(writing: readonly Writing[]): Promise<void> {
    this.#observer.onStep?.(writing.length);
    const next = writing.map((own) => ({ row: own.row as Row, token: own.next as number }));
    const logits = await this.#decoder.step(next);
    for (const [i, own] of writing.entries()) this.#accept(own, logits[i] as Float32Array);
  }

  /** Draws the next token of a request. */
  #accept(own: Writing, logits: Float32Array): void {
    const { sampling, random, end, most } = own.request;
    let token: number;
    try {
      token = sampleToken(logits, sampling, random);
    } catch (error) {
      if (!(error instanceof SardonyxError)) throw error;
      own.fail(error);
      return;
    }
    if (token === end) {
      own.finish("stop");
      return;
    }
    own.give({ token, logits });
    own.next = token;
    if (++own.count === most || own.row?.length === this.#decoder.capacity) own.finish("length");
  }
}
