/** Files of test/fixtures, from which inputs are made. */
import { readFileSync } from "node:fs";
import type { Files } from "../target.ts";

const folder = new URL("../../test/fixtures/", import.meta.url);

/** The bytes of a file below test/fixtures, in memory of their own. */
export const fixture = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, folder)));

/** The JSON document in a file below test/fixtures. */
export const jsonFixture = <T>(path: string): T => JSON.parse(new TextDecoder().decode(fixture(path))) as T;

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const jsonBytes = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

/** An input of one file for each of some files below test/fixtures. */
export const oneFile = (name: string, ...paths: readonly string[]): readonly Files[] =>
  paths.map((path) => ({ [name]: fixture(path) }));
