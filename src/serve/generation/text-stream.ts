/** Text of tokens as they come: whole characters, up to the first of some texts that end it. */
import type { Tokenizer } from "../../data/text/tokenizer.ts";

/** Turns tokens into pieces of text. What may be the beginning of a text that ends it is held back. */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #stops: readonly string[];
  readonly #ids: number[] = [];
  /** Tokens before it are given, and stand before the next as what they were decoded with. */
  #from = 0;
  #given = 0;
  #held = "";
  #isStopped = false;

  /** @param stops texts that end it, and are not given */
  constructor(tokenizer: Pick<Tokenizer, "decode">, stops: readonly string[] = []) {
    this.#tokenizer = tokenizer;
    this.#stops = stops;
  }

  /** Whether a text that ends it has come. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** What can be given once a token has come. */
  push(token: number): string {
    this.#ids.push(token);
    // A tokenizer may write a token otherwise at the beginning of a text: those before are decoded with it.
    const before = this.#tokenizer.decode(this.#ids.slice(this.#from, this.#given));
    const all = this.#tokenizer.decode(this.#ids.slice(this.#from));
    // A character may take several tokens: it is given when it is whole.
    if (all.endsWith("\uFFFD") || all.length <= before.length) return "";
    this.#from = this.#given;
    this.#given = this.#ids.length;
    return this.#take(all.slice(before.length));
  }

  /** What was held back, when no more comes. */
  end(): string {
    if (this.#isStopped) return "";
    const before = this.#tokenizer.decode(this.#ids.slice(this.#from, this.#given));
    const rest = this.#tokenizer.decode(this.#ids.slice(this.#from)).slice(before.length);
    this.#given = this.#ids.length;
    const text = this.#take(rest);
    const held = this.#held;
    this.#held = "";
    return this.#isStopped ? text : text + held;
  }

  #take(text: string): string {
    if (this.#isStopped) return "";
    const all = this.#held + text;
    const ends = this.#stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0);
    if (ends.length > 0) {
      this.#isStopped = true;
      this.#held = "";
      return all.slice(0, Math.min(...ends));
    }
    const open = Math.max(0, ...this.#stops.map((stop) => openLength(all, stop)));
    this.#held = all.slice(all.length - open);
    return all.slice(0, all.length - open);
  }
}

/** Characters at the end of a text that a stop may begin with. */
function openLength(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--)
    if (stop.startsWith(text.slice(text.length - length))) return length;
  return 0;
}
