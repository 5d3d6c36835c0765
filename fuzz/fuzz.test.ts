/** A short run over every reader, what was found before, and that the runner finds what it is for. */
import { describe, expect, test } from "vitest";
import { basesOf, corpusOf, inputOf } from "./inputs.ts";
import { readInput } from "./reading.ts";
import { newTally, runJob } from "./runner.ts";
import { targets } from "./targets/index.ts";

/** Inputs of each target; `npm run fuzz` reads 100,000. */
const short = 30;
/** Bases of each target that are read as they are. */
const some = 12;

describe.each(targets.map((target) => [target.name, target] as const))("%s", (name, target) => {
  test("what inputs are made of is read", async () => {
    const { seeds } = await basesOf(target);
    const step = Math.ceil(seeds.length / some);
    for (let i = 0; i < seeds.length; i += step)
      expect(await readInput(target, seeds[i] ?? {}), `seed ${i}`).toEqual({});
  });

  test("what was found is read or refused in a sentence", async () => {
    for (const [found, files] of corpusOf(name)) expect((await readInput(target, files)).what, found).toBeUndefined();
  });

  test("changed inputs are read or refused in a sentence", async () => {
    const bases = await basesOf(target);
    for (let i = 0; i < short; i++)
      expect((await readInput(target, inputOf(target, bases, 1, i))).what, `input ${i}`).toBeUndefined();
  });

  test("inputs are the same again", async () => {
    const bases = await basesOf(target);
    expect(inputOf(target, bases, 1, 3)).toEqual(inputOf(target, await basesOf(target), 1, 3));
  });
});

test("a reader that does what it must not is found at each, and read on", async () => {
  const tally = newTally("broken");
  const module = new URL("testing/broken.ts", import.meta.url).href;
  const job = { module, target: "broken", seed: 1, from: -9, to: 0, seconds: 4, memory: 1e8 };
  await runJob(job, tally, (finding) => tally.findings.push(finding));
  expect(tally.findings.map(({ fault }) => fault)).toEqual([
    "crash",
    "defect",
    "message",
    "stray",
    "memory",
    "hang",
    "death",
  ]);
  expect(tally).toMatchObject({ inputs: 9, read: 1, refused: 1 });
});
