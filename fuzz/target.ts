/** What is fuzzed: a reader, inputs that it reads, and ways to change them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../src/core/random.ts";
import { faultOf } from "../src/storage/testing/refusals.ts";

/** An input: files by name, of most readers one. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** A change of an input that keeps enough of its form for the code behind the first checks. */
export type Mutation = (files: Files, random: Random) => Files;

/** A reader with what it is tried with. */
export interface Target {
  readonly name: string;
  /** What is read, for the table of figures. */
  readonly reads: string;
  /** How many of its inputs are read beside those of others; default 1. */
  readonly share?: number;
  /** Inputs that are read, from which all others are made. */
  seeds(): readonly Files[] | Promise<readonly Files[]>;
  /** Inputs that are refused as they are, for what is found on the way to that. */
  refused?(): readonly Files[];
  /** Changes that know the form; bytes of the files are changed beside these. */
  readonly mutations: readonly Mutation[];
  /** Reads an input as its users do. */
  read(input: Input): unknown;
}

/** Names that files and folders of inputs may have. */
const plainName = /^[\w.-]+$/;

/** An input that is being read; its files are written when a reader asks for their folder. */
export class Input {
  readonly files: Files;
  #folder: string | undefined;

  constructor(files: Files) {
    this.files = files;
  }

  /** The bytes of the file of a name. */
  bytes(name: string): Uint8Array {
    return this.files[name] ?? new Uint8Array(0);
  }

  text(name: string): string {
    return new TextDecoder().decode(this.bytes(name));
  }

  /** The folder in which its files lie. */
  folder(): string {
    if (this.#folder !== undefined) return this.#folder;
    const folder = mkdtempSync(join(tmpdir(), "sardonyx-fuzz-"));
    this.#folder = folder;
    for (const [name, bytes] of Object.entries(this.files)) {
      if (!plainName.test(name)) throw new Error(`the input has a file "${name}"; name it by letters and digits`);
      writeFileSync(join(folder, name), bytes);
    }
    return folder;
  }

  path(name: string): string {
    return join(this.folder(), name);
  }

  /** Removes what was written. */
  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}

/** Reads an input in several ways. Throws at once what is no refusal, and the last refusal where each way refused it. */
export async function readAll(...reads: readonly (() => unknown)[]): Promise<void> {
  const refusals: unknown[] = [];
  for (const read of reads)
    try {
      await read();
    } catch (error) {
      if (faultOf(error) !== undefined) throw error;
      refusals.push(error);
    }
  if (refusals.length === reads.length) throw refusals.at(-1);
}
