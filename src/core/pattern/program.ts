/** Regular expressions as programs of a small machine: each step reads at most one character, and the next ones are tried in their order. */
import { UnsupportedError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Edge, Part } from "./syntax.ts";

/** One step of a program. What it goes on with is the step after it, unless it says. */
export type Step =
  /** Reads one character of a set. */
  | { readonly kind: "set"; readonly set: number }
  /** Reads characters of a set, as many as lead to a match. */
  | { readonly kind: "run"; readonly set: number }
  /** Goes on at one step, or else at the other. */
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "edge"; readonly edge: Edge }
  /** Looks whether the next character, or that before, is of a set. */
  | { readonly kind: "peek"; readonly set: number; readonly behind: boolean; readonly negated: boolean }
  /** Looks whether characters of these sets stand before. */
  | { readonly kind: "behind"; readonly sets: readonly number[]; readonly negated: boolean }
  /** Looks whether a program, which ends before `to`, matches from here. */
  | { readonly kind: "ahead"; readonly negated: boolean; to: number }
  | { readonly kind: "match" };

/** A program, and the sets that it speaks of, as expressions write them. */
export interface Program {
  readonly steps: readonly Step[];
  readonly sets: readonly string[];
  /** Whether it repeats what may match nothing, and would do so without end. */
  readonly repeatsNothing: boolean;
  /** Sets of which one holds the first character of every match; `undefined` where a match may be empty. */
  readonly firsts: readonly number[] | undefined;
}

/** The program of an expression. Throws UnsupportedError for one of more steps than `limits.patternSteps`. */
export function programOf(part: Part): Program {
  const compiler = new Compiler();
  compiler.add(part);
  compiler.emit({ kind: "match" });
  const { steps, sets, repeatsNothing } = compiler;
  return { steps, sets: [...sets.keys()], repeatsNothing, firsts: firstsOf(steps) };
}

/** The sets of the first character of matches. */
function firstsOf(steps: readonly Step[]): readonly number[] | undefined {
  const firsts = new Set<number>();
  const seen = new Set<number>();
  const pending = [0];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const step = steps[at] as Step;
    if (step.kind === "match") return undefined;
    if (step.kind === "set" || step.kind === "run") firsts.add(step.set);
    if (step.kind === "split") pending.push(step.first, step.second);
    else if (step.kind === "jump" || step.kind === "ahead") pending.push(step.to);
    else if (step.kind !== "set") pending.push(at + 1);
  }
  return [...firsts];
}

/** Whether a part may match without reading a character. */
function mayBeEmpty(part: Part): boolean {
  if (part.kind === "set") return false;
  if (part.kind === "sequence") return part.parts.every(mayBeEmpty);
  if (part.kind === "choice") return part.options.some(mayBeEmpty);
  if (part.kind === "repeat") return part.min === 0 || mayBeEmpty(part.part);
  return true;
}

/** Whether a part that may match nothing tries that before something else. */
function prefersNothing(part: Part): boolean {
  if (part.kind === "sequence") return part.parts.some(prefersNothing);
  if (part.kind === "choice") return part.options.slice(0, -1).some(mayBeEmpty) || part.options.some(prefersNothing);
  if (part.kind === "repeat") return (!part.greedy && part.min < part.max) || prefersNothing(part.part);
  return false;
}

class Compiler {
  readonly steps: Step[] = [];
  readonly sets = new Map<string, number>();
  repeatsNothing = false;

  emit<S extends Step>(step: S): S {
    if (this.steps.length >= limits.patternSteps)
      throw new UnsupportedError(
        `it has more than ${limits.patternSteps} steps with its repetitions written out, the limit patternSteps`,
      );
    this.steps.push(step);
    return step;
  }

  get #next(): number {
    return this.steps.length;
  }

  #setOf(source: string): number {
    const known = this.sets.get(source) ?? this.sets.size;
    this.sets.set(source, known);
    return known;
  }

  add(part: Part): void {
    if (part.kind === "set") this.emit({ kind: "set", set: this.#setOf(part.source) });
    else if (part.kind === "edge") this.emit(part);
    else if (part.kind === "sequence") for (const own of part.parts) this.add(own);
    else if (part.kind === "choice") this.#addChoice(part.options);
    else if (part.kind === "look") this.#addLook(part);
    else this.#addRepeat(part);
  }

  #addChoice(options: readonly Part[]): void {
    const jumps: { to: number }[] = [];
    for (const [i, option] of options.entries()) {
      const split = i < options.length - 1 ? this.emit({ kind: "split", first: this.#next + 1, second: 0 }) : undefined;
      this.add(option);
      if (!split) continue;
      jumps.push(this.emit({ kind: "jump", to: 0 }));
      split.second = this.#next;
    }
    for (const jump of jumps) jump.to = this.#next;
  }

  #addRepeat({ part, min, max, greedy }: Extract<Part, { kind: "repeat" }>): void {
    for (let i = 0; i < min; i++) {
      const begin = this.#next;
      this.add(part);
      if (this.#next === begin) return; // nothing, however often
    }
    // JavaScript takes no optional part that matches nothing, and tries others in its place.
    if (max > min && mayBeEmpty(part) && prefersNothing(part))
      throw new UnsupportedError("an optional part of it would rather match nothing, which is not supported");
    if (max === Number.POSITIVE_INFINITY && part.kind === "set" && greedy)
      this.emit({ kind: "run", set: this.#setOf(part.source) });
    else if (max === Number.POSITIVE_INFINITY) {
      this.repeatsNothing ||= mayBeEmpty(part);
      const begin = this.#next;
      const leave = this.#optional(greedy);
      this.add(part);
      this.emit({ kind: "jump", to: begin });
      leave(this.#next);
    } else {
      const leaves: ((to: number) => void)[] = [];
      for (let i = min; i < max; i++) {
        leaves.push(this.#optional(greedy));
        this.add(part);
      }
      for (const leave of leaves) leave(this.#next);
    }
  }

  /** A choice between what follows and what is said later. */
  #optional(greedy: boolean): (to: number) => void {
    const split = this.emit({ kind: "split", first: this.#next + 1, second: this.#next + 1 });
    return (to) => {
      if (greedy) split.second = to;
      else split.first = to;
    };
  }

  #addLook({ part, behind, negated }: Extract<Part, { kind: "look" }>): void {
    if (part.kind === "set") {
      this.emit({ kind: "peek", set: this.#setOf(part.source), behind, negated });
    } else if (behind) {
      this.emit({ kind: "behind", sets: singles(part).map((source) => this.#setOf(source)), negated });
    } else {
      const look = this.emit({ kind: "ahead", negated, to: 0 });
      this.add(part);
      this.emit({ kind: "match" });
      look.to = this.#next;
    }
  }
}

/** The sets of an expression of single characters. */
function singles(part: Part): readonly string[] {
  if (part.kind === "set") return [part.source];
  if (part.kind === "sequence") return part.parts.flatMap(singles);
  throw new UnsupportedError(
    "it looks behind for something other than a few characters in a row, which is not supported",
  );
}
