/**
 * Runs a program on a text as JavaScript runs an expression: the first alternative that leads to a match, repetitions as long as they can
 * be, but in time that grows with the text alone. What was tried at a place and failed is not tried there again (Davis et al. 2021,
 * "Using selective memoization to defeat regular expression denial of service"); that is remembered once a text takes more steps than
 * texts do for which expressions are made.
 */
import { DataError } from "../errors.ts";
import { limits } from "../limits.ts";
import { lookAhead } from "./ahead.ts";
import type { CharacterSets } from "./characters.ts";
import { Places } from "./places.ts";
import type { Program, Step } from "./program.ts";

/** Steps for each character, and in all, before it is remembered what failed. */
const [stepsForEach, stepsInAll] = [24, 4096];

/** A program on one text. */
export class Matcher {
  readonly #program: Program;
  readonly #places: Places;
  #left: number;
  /** By place and step, a bit: whether it was tried. Made when it is needed. */
  #tried: Uint32Array | undefined;
  readonly #words: number;
  /** Of each step that looks ahead, the places where what it looks for is. */
  readonly #ahead = new Map<number, Uint8Array>();
  /** Whether a match may begin with characters of a class. */
  readonly #begins: boolean[] = [];
  /** What is still to be tried, three numbers each: a step, a place, and of a run the place where it begins, else -1. */
  readonly #open: number[] = [];

  constructor(program: Program, sets: CharacterSets, text: string) {
    this.#program = program;
    this.#places = new Places(text, sets);
    this.#words = Math.ceil(program.steps.length / 32);
    this.#left = program.repeatsNothing ? 1 : stepsInAll + stepsForEach * text.length;
  }

  /** The first match from a place on. */
  find(from: number): { readonly begin: number; readonly end: number } | undefined {
    const { size } = this.#places;
    for (let begin = from; begin <= size; begin = this.#places.behind(begin)) {
      if (!this.#mayBegin(begin)) continue;
      const end = this.#try(begin);
      if (end < 0) continue;
      // What led to the match did not fail. Places before its end are not met again.
      this.#tried?.fill(0, end * this.#words, (end + 1) * this.#words);
      return { begin, end };
    }
    return undefined;
  }

  /** Whether a match may begin at a place, by its character. */
  #mayBegin(place: number): boolean {
    const { firsts } = this.#program;
    if (!firsts) return true;
    const own = this.#places.classAt(place);
    if (own < 0) return false;
    this.#begins[own] ??= firsts.some((set) => this.#places.holds(set, place));
    return this.#begins[own] as boolean;
  }

  /** Behind the character at a place, where JavaScript goes on after an empty match. */
  behind(place: number): number {
    return this.#places.behind(place);
  }

  /** Whether a step was tried at a place; from now on it was. */
  #wasTried(step: number, place: number): boolean {
    const tried = this.#tried as Uint32Array;
    const word = place * this.#words + (step >> 5);
    const before = tried[word] as number;
    tried[word] = before | (1 << (step & 31));
    return tried[word] === before;
  }

  #remember(): void {
    const words = (this.#places.size + 1) * this.#words;
    if (words * 4 > limits.patternBytes) throw tooLong(this.#places.size);
    this.#tried = new Uint32Array(words);
  }

  /** Where the match ends that begins at a place; -1 when none does. */
  #try(begin: number): number {
    const open = this.#open;
    open.length = 0;
    let [at, place] = [0, begin];
    for (;;) {
      if (--this.#left === 0) this.#remember();
      const step = this.#program.steps[at] as Step;
      const fails = this.#tried !== undefined && this.#wasTried(at, place);
      const next = fails ? -1 : this.#after(step, at, place);
      if (next >= 0) {
        place = next;
        at = step.kind === "split" ? step.first : step.kind === "jump" || step.kind === "ahead" ? step.to : at + 1;
        if (step.kind === "match") return place;
        continue;
      }
      // Back to what was put off last: of a run with one character less.
      const from = open.pop();
      if (from === undefined) return -1;
      place = open.pop() as number;
      at = open.pop() as number;
      if (from < 0) continue;
      place = this.#places.before(place);
      if (place > from) open.push(at, place, from);
    }
  }

  /** The place behind what a step reads, -1 where it fails; what else may be tried is put off. */
  #after(step: Step, at: number, place: number): number {
    const places = this.#places;
    switch (step.kind) {
      case "set":
        return places.holds(step.set, place) ? places.behind(place) : -1;
      case "run":
        return this.#run(step.set, at, place);
      case "split":
        this.#putOff(step.second, place, -1);
        return place;
      case "peek":
        return places.peeks(step.set, place, step.behind) !== step.negated ? place : -1;
      case "behind":
        return places.endsWith(step.sets, place) !== step.negated ? place : -1;
      case "ahead":
        return (this.#aheadOf(at)[place] === 1) !== step.negated ? place : -1;
      case "edge":
        return places.isEdge(step.edge, place) ? place : -1;
      default:
        return place;
    }
  }

  /** Behind as many characters of a set as there are; from there on back it is tried after that. */
  #run(set: number, at: number, begin: number): number {
    let place = begin;
    while (this.#places.holds(set, place)) {
      const next = this.#places.behind(place);
      // From there on it failed already, with any number of characters.
      if (this.#tried && this.#wasTried(at, next)) break;
      place = next;
      if (--this.#left === 0) this.#remember();
    }
    if (place > begin) this.#putOff(at + 1, place, begin);
    return place;
  }

  #putOff(step: number, place: number, from: number): void {
    if (this.#open.length > limits.patternBytes / 8) throw tooLong(this.#places.size);
    this.#open.push(step, place, from);
  }

  #aheadOf(step: number): Uint8Array {
    const known =
      this.#ahead.get(step) ?? lookAhead(this.#program.steps, step, this.#places, (own) => this.#aheadOf(own));
    this.#ahead.set(step, known);
    return known;
  }
}

const tooLong = (characters: number): DataError =>
  new DataError(
    `the expression needs too much memory for a text of ${characters} characters (${limits.patternBytes} bytes is the limit patternBytes); cut the text into parts`,
  );
