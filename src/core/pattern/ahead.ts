/** Looking ahead: from which places a part of a program matches, found for all of a text at once, from its end to its beginning. */
import type { Places } from "./places.ts";
import type { Step } from "./program.ts";

/** By place: 1 where what a step looks ahead for matches. @param others the same of steps within it */
export function lookAhead(
  steps: readonly Step[],
  look: number,
  places: Places,
  others: (step: number) => Uint8Array,
): Uint8Array {
  const [first, last] = [look + 1, (steps[look] as Extract<Step, { kind: "ahead" }>).to - 1];
  const before = leadsTo(steps, first, last);
  const readers: number[] = [];
  for (let i = first; i <= last; i++) if (steps[i]?.kind === "set" || steps[i]?.kind === "run") readers.push(i);
  const found = new Uint8Array(places.size + 1);
  /** By step: from which of the places behind this one, and from this one, it leads to a match. */
  let [behind, here] = [new Uint8Array(last + 1), new Uint8Array(last + 1)];
  const fresh: number[] = [];
  for (let place = places.size; place >= 0; place--) {
    if (!places.isBegin(place)) continue;
    here.fill(0);
    const reach = (step: number) => {
      if (here[step] === 1) return;
      here[step] = 1;
      fresh.push(step);
    };
    reach(last);
    for (const i of readers) {
      const step = steps[i] as Extract<Step, { kind: "set" | "run" }>;
      if (behind[step.kind === "run" ? i : i + 1] === 1 && places.holds(step.set, place)) reach(i);
    }
    for (let next = fresh.pop(); next !== undefined; next = fresh.pop())
      for (const i of before[next] ?? []) if (passes(steps[i] as Step, i, place)) reach(i);
    found[place] = here[first] as number;
    [behind, here] = [here, behind];
  }
  return found;

  /** Whether a step that reads nothing goes on from a place. */
  function passes(step: Step, i: number, place: number): boolean {
    if (step.kind === "edge") return places.isEdge(step.edge, place);
    if (step.kind === "peek") return places.peeks(step.set, place, step.behind) !== step.negated;
    if (step.kind === "behind") return places.endsWith(step.sets, place) !== step.negated;
    if (step.kind === "ahead") return (others(i)[place] === 1) !== step.negated;
    return true;
  }
}

/** By step: the steps that may go on with it without reading a character. */
function leadsTo(steps: readonly Step[], first: number, last: number): readonly (readonly number[])[] {
  const before: number[][] = [];
  const lead = (from: number, to: number) => {
    before[to] ??= [];
    before[to].push(from);
  };
  for (let i = first; i < last; i++) {
    const step = steps[i] as Step;
    if (step.kind === "split") {
      lead(i, step.first);
      lead(i, step.second);
    } else if (step.kind === "jump") lead(i, step.to);
    else if (step.kind === "ahead") {
      lead(i, step.to);
      i = step.to - 1;
    } else if (step.kind !== "set") lead(i, i + 1);
  }
  return before;
}
