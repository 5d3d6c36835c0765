/**
 * What a file or a text can make us do, bounded before it is done: every limit with its default. A limit that a file of good faith may
 * reach is raised by an option, which the error names; docs/limits.md lists them all.
 */
import { FileError } from "./errors.ts";

/** Limits that may be raised, by name: those left out are as docs/limits.md lists them. */
export interface Limits {
  /** Nodes of a graph, its functions, branches and loops written out. */
  readonly nodes?: number;
  /** Nodes of a graph whose training is traced to report what it costs; of a larger one a note says that it is not. */
  readonly trainingNodes?: number;
}

/** Every limit. */
export const limits = {
  nodes: 200_000,
  trainingNodes: 10_000,
  /** Brackets of JSON within others. */
  jsonDepth: 512,
} as const satisfies Required<Limits> & Readonly<Record<string, number>>;

/** The names of the limits that may be raised. */
export const limitNames = ["nodes", "trainingNodes"] as const satisfies readonly (keyof Limits)[];

/** The value of a limit that may be raised. */
export const limitOf = (name: keyof Limits, own: Limits | undefined): number => own?.[name] ?? limits[name];

/** The error for a file that passes a limit which may be raised. @param what what it does, up to the number: "onnx: it has more than" */
export const limitError = (name: keyof Limits, what: string, own: Limits | undefined): FileError =>
  new FileError(
    `${what} ${limitOf(name, own)} ${units[name]}, the limit; if you trust the file, raise it: --limit ${name}=N, or limits: { ${name}: N }`,
  );

const units: Readonly<Record<keyof Limits, string>> = { nodes: "nodes", trainingNodes: "nodes" };
