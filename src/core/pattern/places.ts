/** Places in a text, counted in UTF-16 units as JavaScript counts, and what stands there. */
import { type CharacterSets, inside } from "./characters.ts";
import type { Edge } from "./syntax.ts";

const isWord = (unit: number): boolean =>
  (unit >= 48 && unit < 58) || (unit >= 65 && unit < 91) || unit === 95 || (unit >= 97 && unit < 123);

export class Places {
  readonly size: number;
  readonly #text: string;
  readonly #classes: Int32Array;
  readonly #members: readonly boolean[][];

  constructor(text: string, sets: CharacterSets) {
    this.size = text.length;
    this.#text = text;
    this.#classes = sets.classesOf(text);
    this.#members = sets.members;
  }

  /** Behind the character at a place. */
  behind(place: number): number {
    return this.#classes[place + 1] === inside ? place + 2 : place + 1;
  }

  /** Where the character before a place begins. */
  before(place: number): number {
    return this.#classes[place - 1] === inside ? place - 2 : place - 1;
  }

  /** Whether a character begins at a place, or the text ends there. */
  isBegin(place: number): boolean {
    return this.#classes[place] !== inside;
  }

  classAt(place: number): number {
    return this.#classes[place] as number;
  }

  /** Whether a set holds the character at a place. */
  holds(set: number, place: number): boolean {
    const own = this.#classes[place] as number;
    return own >= 0 && ((this.#members[set] as boolean[])[own] as boolean);
  }

  /** Whether a set holds the character at a place, or the one before it. */
  peeks(set: number, place: number, behind: boolean): boolean {
    if (!behind) return this.holds(set, place);
    return place > 0 && this.holds(set, this.before(place));
  }

  /** Whether characters of these sets stand before a place, in this order. */
  endsWith(sets: readonly number[], place: number): boolean {
    for (let i = sets.length - 1; i >= 0; i--) {
      if (!this.peeks(sets[i] as number, place, true)) return false;
      place = this.before(place);
    }
    return true;
  }

  isEdge(edge: Edge, place: number): boolean {
    if (edge === "start") return place === 0;
    if (edge === "end") return place === this.size;
    const isBorder = isWord(this.#text.charCodeAt(place - 1)) !== isWord(this.#text.charCodeAt(place));
    return isBorder === (edge === "border");
  }
}
