/** Errors that users meet: each says where, what was got, what was expected and how to mend it, and has a stable code. */
import { asSentence, quoted } from "./printable.ts";

/** Base of every error that Sardonyx throws on purpose; its message is one line of at most 1,000 characters that a terminal can show. */
export class SardonyxError extends Error {
  readonly code: string = "SARDONYX";
  constructor(message: string, options?: ErrorOptions) {
    super(asSentence(message), options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together; thrown while tracing, before anything runs. */
export class ShapeError extends SardonyxError {
  override readonly code: string = "SHAPE";
}

/** Element types that do not fit together; thrown while tracing. */
export class DTypeError extends SardonyxError {
  override readonly code: string = "DTYPE";
}

/** What an operator's definition here leaves out, such as a mode of a model file that no rule knows. */
export class UnsupportedError extends SardonyxError {
  override readonly code: string = "UNSUPPORTED";
}

/** A value outside what an option, argument or name allows. */
export class OptionError extends SardonyxError {
  override readonly code: string = "OPTION";
}

/** Data that cannot be trained on: out of range, not finite, empty. */
export class DataError extends SardonyxError {
  override readonly code: string = "DATA";
}

/** Fewer samples than a batch takes. */
export class BatchSizeError extends DataError {
  /** Samples of a batch. */
  readonly batchSize: number;
  /** Samples that there are. */
  readonly samples: number;
  constructor(message: string, batchSize: number, samples: number) {
    super(message);
    this.batchSize = batchSize;
    this.samples = samples;
  }
}

/** A file that is missing, truncated, of another format or failing its checksum. */
export class FileError extends SardonyxError {
  override readonly code: string = "FILE";
}

/** An encrypted file that no key at hand opens: none is given, it is another one's, the passphrase is wrong. */
export class KeyError extends SardonyxError {
  override readonly code: string = "KEY";
}

/** A gradient that does not exist: of an operator without one, or with respect to what is no float. */
export class GradientError extends SardonyxError {
  override readonly code: string = "GRADIENT";
}

/** A loss or gradient that is no longer a finite number. */
export class NonFiniteError extends SardonyxError {
  override readonly code: string = "NON_FINITE";
}

/** What the execution engine refused to load or to run. */
export class RuntimeError extends SardonyxError {
  override readonly code: string = "RUNTIME";
}

/** One of the processes that train together ended, hangs, or differs from the others; the message names its rank. */
export class RankError extends SardonyxError {
  override readonly code: string = "RANK";
}

/** A message of federated learning that is refused, or a round that cannot go on; the message names the client. */
export class FederationError extends SardonyxError {
  override readonly code: string = "FEDERATION";
}

/** A defect of Sardonyx itself; its message begins with `internal:`. Please report it. */
export class InternalError extends SardonyxError {
  override readonly code: string = "INTERNAL";
  constructor(message: string) {
    super(`internal: ${message}`);
  }
}

/** Changes the message of an error, which keeps its class and code. */
export function reword(error: SardonyxError, message: string): void {
  error.message = asSentence(message);
}

/** Prefixes the place to an error's message, keeping its class and code: `conv2d "stem": …`. */
export function atPlace(place: string, error: unknown): unknown {
  if (error instanceof SardonyxError && !(error instanceof InternalError)) reword(error, `${place}: ${error.message}`);
  return error;
}

/** What is longer is no name that somebody typed. */
const longestName = 100;

/** Levenshtein distance between two short names. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * The candidate spelled most like `name`, by Levenshtein distance without regard to case; `undefined` without
 * candidates, and for a name of more than 100 characters.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longestName) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate.length > longestName) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Names in a message: as many as can be read, and how many there are beyond those. */
function listed(names: readonly string[]): string {
  let [count, length] = [0, 0];
  while (count < names.length && length < 600) length += (names[count++] as string).length + 2;
  const others = names.length - count;
  return `${names.slice(0, count).join(", ") || "none"}${others > 0 ? ` and ${others} others` : ""}`;
}

/**
 * An OptionError for a name of a `kind` of thing that is not known; its message suggests the nearest candidate and
 * lists all, or the first of many.
 */
export function unknownName(kind: string, name: string, candidates: Iterable<string>): OptionError {
  const known = [...candidates];
  const closest = nearest(name, known);
  const hint = closest === undefined ? "." : `; did you mean "${closest}"?`;
  return new OptionError(`unknown ${kind} ${quoted(name)}${hint} Known: ${listed(known)}.`);
}
