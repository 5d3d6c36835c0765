/**
 * Trains the tagger of names that comes with the package, on made-up sentences: node --import tsx scripts/name-tagger/train.ts [SENTENCES] [EPOCHS] [OUT].
 * It needs no network and no data of others; prose without names is that of docs/, so that the file changes a little as that does.
 */
import { writeFileSync } from "node:fs";
import { float32ToFloat16 } from "../../src/core/half.ts";
import { Random } from "../../src/core/random.ts";
import { adamw, cosine, crossEntropy, fit, fromTensors, keyOf, Tensor } from "../../src/index.ts";
import { NameNetwork } from "../../src/privacy/redaction/names/name-network.ts";
import { firstWord, NameReader, rowsPerWord, wordsOf } from "../../src/privacy/redaction/names/name-words.ts";
import { encodeSafetensors } from "../../src/storage/safetensors.ts";
import { madeText, type NamedText, proseOf } from "./sentences.ts";

const [sentences = "90000", epochs = "5", out = "weights/names.safetensors"] = process.argv.slice(2);
const [length, most] = [96, 2200];
/** Share of the words of texts that are read as unknown, so that what stands around them counts. */
const unknown = 0.12;

const guides = proseOf("docs");
const random = new Random(keyOf(7));
const texts: NamedText[] = Array.from({ length: Number(sentences) }, () => madeText(random, guides));

/** The words that come most often, without those that are only names: they are known by the lists. */
function vocabularyOf(all: readonly NamedText[]): string[] {
  const counts = new Map<string, number>();
  for (const { text, names } of all)
    for (const { text: word, start } of wordsOf(text)) {
      const own = word.toLowerCase();
      const isName = names.some(([from, to]) => start >= from && start < to);
      if (/^\S{1,16}$/u.test(own) && !(isName && !/^\p{Script=Han}/u.test(own)))
        counts.set(own, (counts.get(own) ?? 0) + 1);
    }
  return [...counts]
    .filter(([, count]) => count > 3)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([word]) => word);
}

const vocabulary = vocabularyOf(texts);
const reader = new NameReader(vocabulary);

/** Windows of words: one text behind another until a window is full. */
function windowsOf(all: readonly NamedText[]) {
  const words: { text: string; tag: number }[] = [];
  for (const { text, names } of all) {
    for (const { text: word, start } of wordsOf(text)) {
      const name = names.find(([from, to]) => start >= from && start < to);
      words.push({ text: word, tag: name ? (start === name[0] ? 1 : 2) : 0 });
    }
    // Texts are apart as lines are.
    words.push({ text: "\n", tag: 0 }, { text: "\n", tag: 0 });
  }
  const count = Math.floor(words.length / length);
  const x = new Int32Array(count * length * rowsPerWord);
  const y = new Int32Array(count * length);
  for (let i = 0; i < count * length; i++) {
    reader.write(words[i]?.text ?? "", words[i + 1]?.text ?? "", x, i * rowsPerWord);
    if (random.uniform() < unknown) x[i * rowsPerWord] = firstWord - 1;
    y[i] = words[i]?.tag ?? 0;
  }
  return fromTensors({
    x: new Tensor("int32", [count, length, rowsPerWord], x),
    y: new Tensor("int32", [count, length], y),
  });
}

const network = new NameNetwork(firstWord + vocabulary.length);
const data = windowsOf(texts);
console.log(`${texts.length} texts, ${data.length} windows, ${vocabulary.length} words`);
for (const text of texts.slice(0, 12))
  console.log(JSON.stringify(text.text).slice(0, 150), text.names.map(([a, b]) => text.text.slice(a, b)).join(" / "));
const began = Date.now();
await fit(network, data.shuffle(keyOf(1)).batch(32), {
  loss: crossEntropy({ labelSmoothing: 0.02 }),
  optimizer: adamw({
    learningRate: cosine({ rate: 0.004, steps: Math.ceil((Number(epochs) * data.length) / 32) }),
    weightDecay: 0.01,
  }),
  epochs: Number(epochs),
  callbacks: [
    {
      name: "log",
      onEpoch: (_run: unknown, result: unknown) =>
        console.log(JSON.stringify(result), Math.round((Date.now() - began) / 1000), "s"),
    },
  ],
});
const tensors = Object.fromEntries(
  [...network.parameters()].map(([path, { value }]) => [
    path,
    new Tensor("float16", value.shape, float32ToFloat16(value.data as Float32Array)),
  ]),
);
const bytes = encodeSafetensors(tensors, { words: vocabulary.join(" ") });
writeFileSync(out, bytes);
console.log(`${out}: ${bytes.length} bytes`);
