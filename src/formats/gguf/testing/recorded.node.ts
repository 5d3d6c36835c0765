/** GGUF files and their recordings, written by scripts/record-gguf-fixtures.py. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plain } from "../../testing/recorded-models.ts";

const folder = new URL("../../../../test/fixtures/gguf/", import.meta.url);

/** The path of a recorded file. */
export const ggufPath = (name: string): string => fileURLToPath(new URL(`${name}.gguf`, folder));

/** Blocks of each type with their values, and logits of each file's model. */
export const recordedGguf = JSON.parse(readFileSync(new URL("recorded.json", folder), "utf8")) as {
  readonly blocks: Readonly<Record<string, { readonly bytes: string; readonly values: string }>>;
  readonly logits: Readonly<Record<string, Plain>>;
};
