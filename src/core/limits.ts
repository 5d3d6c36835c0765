/**
 * What a file or a text can make us do, bounded before it is done: every limit with its default. A limit that a file of good faith may
 * reach is raised by an option, which the error names; docs/limits.md lists them all.
 */
import { FileError } from "./errors.ts";
import { count } from "./option-types.ts";
import { optionsOf } from "./options.ts";

/** Limits that may be raised, by name: those left out are as docs/limits.md lists them. */
export interface Limits {
  /** Nodes of a graph, its functions, branches and loops written out. */
  readonly nodes?: number;
  /** Nodes of a graph whose training is traced to report what it costs; of a larger one a note says that it is not. */
  readonly trainingNodes?: number;
  /** Parameters, each a tensor, of a model that is built from a config. */
  readonly tensors?: number;
}

/** Every limit. */
export const limits = {
  nodes: 65_536,
  trainingNodes: 30_000,
  tensors: 40_000,
  /** Parts that the description of an ONNX file is made of: nodes, attributes, tensors, types. */
  parts: 800_000,
  /** Tensors of a file of weights. */
  fileTensors: 200_000,
  /** Pixels of an image of a file. */
  pixels: 100_000_000,
  /** Pixels of such an image in one direction: decoders hold many rows at once. */
  imageExtent: 65_535,
  /** Bytes that an archive or a compressed file unpacks to in memory, and of a JSON of boxes, which is read whole. */
  unpackedBytes: 2 ** 29,
  /** Characters of a row of a table, which a quote that nothing closes makes of all that follows, and bytes of a file of labels. */
  recordLength: 2 ** 25,
  /** Characters of a config in YAML. */
  yamlLength: 2 ** 20,
  /** Brackets of JSON within others. */
  jsonDepth: 512,
  /** Axes of a tensor. */
  rank: 64,
  /** Operands of a node, and its outputs. */
  operands: 16_384,
  /** Characters of the name of a tensor, a value or a node. */
  nameLength: 4096,
  /** Layers of a stack of a model that is built from a config: the deepest that was published has 1,000 (Wang et al. 2022, DeepNet). */
  layers: 1000,
  /** Experts of such a model, all layers together. */
  experts: 20_000,
  /** Characters of a regular expression of a file, groups within groups, steps with repetitions written out, and different sets of characters. */
  patternLength: 20_000,
  patternDepth: 64,
  patternSteps: 1000,
  patternSets: 128,
  /** Bytes that matching it on a text may take. */
  patternBytes: 2 ** 28,
  /** Parts of a tokenizer of a file, and characters that its replacements make of a text. */
  tokenizerParts: 1000,
  /** Characters of a token of a unigram model, and of a word that WordPiece cuts: their work grows with the square. */
  tokenLength: 256,
  tokenizerText: 2 ** 22,
  /** Weighted layers of a network whose paths are counted by their length, not only in all. */
  pathLengths: 1000,
  /** Indices of axes that are followed through a graph to prune it, all its values together, in some 4 bytes each. */
  prunedIndices: 2 ** 27,
  /** Sums of path counts, in some 10 ns each: beyond them paths are not counted. */
  pathWork: 2e8,
} as const satisfies Required<Limits> & Readonly<Record<string, number>>;

/** The names of the limits that may be raised. */
export const limitNames = ["nodes", "trainingNodes", "tensors"] as const satisfies readonly (keyof Limits)[];

/** Checks limits that are passed as an option. */
export const checkLimits = optionsOf<Limits>("limits", { nodes: count(), trainingNodes: count(), tensors: count() });

/** The value of a limit that may be raised. */
export const limitOf = (name: keyof Limits, own: Limits | undefined): number => own?.[name] ?? limits[name];

/** The error for a file that passes a limit which may be raised. @param what what it does, up to the number: "onnx: it has more than" */
export const limitError = (name: keyof Limits, what: string, own: Limits | undefined): FileError =>
  new FileError(
    `${what} ${limitOf(name, own)} ${units[name]}, the limit; if you trust the file, raise it: --limit ${name}=N of inspect, or limits: { ${name}: N } in code`,
  );

const units: Readonly<Record<keyof Limits, string>> = {
  nodes: "nodes",
  trainingNodes: "nodes",
  tensors: "tensors",
};

/** Refuses a name that is longer than any model's. Throws FileError. @param what has it: "onnx: a node" */
export function requireName(what: string, name: string): void {
  if (name.length > limits.nameLength)
    throw new FileError(
      `${what} has a name of ${name.length} characters that begins ${JSON.stringify(name.slice(0, 40))}; ${limits.nameLength} is the limit nameLength, and no model needs as many`,
    );
}

/** Refuses a tensor of more axes than any model's. Throws FileError. @param what it is: "onnx: input x" */
export function requireRank(what: string, rank: number): void {
  if (rank > limits.rank)
    throw new FileError(`${what} has ${rank} axes; ${limits.rank} is the limit rank, and no model needs as many`);
}
