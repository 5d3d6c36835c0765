/** What figures, their sections and kinds of layers are called in the reader's language, by their names in `sardonyx compare`. */
import type { Say } from "../shared/language.ts";
import type { TextKey } from "../shared/texts.ts";

const rows: Readonly<Record<string, TextKey>> = {
  "weighted layers": "rowWeighted",
  "layers with parameters": "rowLayers",
  "credit-assignment path": "rowCredit",
  blocks: "rowBlocks",
  paths: "rowPaths",
  "shortest path": "rowShortest",
  "mean path": "rowMean",
  "longest path": "rowLongest",
  unrolled: "rowUnrolled",
  all: "rowAll",
  "to be trained": "rowTrained",
  frozen: "rowFrozen",
  "not 0": "rowNotZero",
  buffers: "rowBuffers",
  stored: "rowStored",
  input: "rowInput",
  "multiply-adds": "rowMacs",
  "FLOPs forward": "rowForward",
  "FLOPs backward": "rowBackward",
  "activations kept": "rowKept",
  "memory to predict": "rowPredict",
  "memory to train": "rowTrain",
};

const sections: Readonly<Record<string, TextKey>> = {
  Depth: "sectionDepth",
  Parameters: "sectionParameters",
  "Parameters by kind of layer": "sectionKinds",
  Cost: "sectionCost",
};

const kinds: Readonly<Record<string, TextKey>> = {
  convolution: "kindConvolution",
  dense: "kindDense",
  embedding: "kindEmbedding",
  recurrent: "kindRecurrent",
  attention: "kindAttention",
  normalization: "kindNormalization",
  other: "kindOther",
};

/** The name in the reader's language, or as it is. */
const textIn = (table: Readonly<Record<string, TextKey>>) => (say: Say, name: string) => {
  const key = table[name];
  return key === undefined ? name : say(key);
};

export const rowText = textIn({ ...kinds, ...rows });
export const sectionText = textIn(sections);
export const kindText = textIn(kinds);
