/** One input, read by its target's reader: what became of it. */
import { faultOf } from "../src/storage/testing/refusals.ts";
import type { Fault } from "./jobs.ts";
import { type Files, Input, type Target } from "./target.ts";

/** What became of an input: nothing where it was read. */
export interface Outcome {
  /** The code of the error by which it was refused. */
  readonly refused?: string;
  readonly fault?: Fault;
  /** The error and where it was thrown. */
  readonly what?: string;
}

export const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.stack ?? error}` : `thrown: ${error}`;

/** Reads an input; its files are gone afterwards. */
export async function readInput(target: Target, files: Files): Promise<Outcome> {
  const input = new Input(files);
  try {
    await target.read(input);
    return {};
  } catch (error) {
    const fault = faultOf(error);
    return fault ? { fault, what: textOf(error) } : { refused: String((error as { readonly code?: string }).code) };
  } finally {
    input.close();
  }
}
