/** Inputs by number: what a target, a seed and a number make is always the same. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { foldIn, keyOf, Random } from "../src/core/random.ts";
import { changedBytes, pick } from "./mutate/bytes.ts";
import type { Files, Target } from "./target.ts";

const corpus = fileURLToPath(new URL("corpus", import.meta.url));

/** The files in a folder. */
export const readFolder = (folder: string): Files =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));

/** What was found of a target and is kept: names with their files. */
export function corpusOf(target: string): readonly (readonly [name: string, files: Files])[] {
  const folder = join(corpus, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => [name, readFolder(join(folder, name))]);
}

/** The bases from which a target's inputs are made. */
export interface Bases {
  readonly seeds: readonly Files[];
  /** The seeds, inputs that are refused, and what was found before. */
  readonly all: readonly Files[];
}

export async function basesOf(target: Target): Promise<Bases> {
  const seeds = await target.seeds();
  return { seeds, all: [...seeds, ...(target.refused?.() ?? []), ...corpusOf(target.name).map(([, files]) => files)] };
}

/** Changes the bytes of one file. */
function bytesIn(files: Files, random: Random, { seeds }: Bases): Files {
  const name = pick(random, Object.keys(files));
  const others = seeds.flatMap((other) => other[name] ?? []);
  const bytes = files[name] ?? new Uint8Array(0);
  return { ...files, [name]: changedBytes(bytes, random, others.length > 0 ? others : [bytes]) };
}

/** Input number i: a base with one change that knows the form or more, with changed bytes, or with both. */
export function inputOf({ name, mutations }: Target, bases: Bases, seed: number, i: number): Files {
  const random = new Random(foldIn(keyOf(seed), name, i));
  let files = pick(random, bases.all);
  const kind = mutations.length === 0 ? 9 : random.integer(10);
  for (let times = kind < 8 ? 1 + random.integer(2) : 0; times > 0; times--)
    files = pick(random, mutations)(files, random);
  return kind < 6 ? files : bytesIn(files, random, bases);
}
