// Writes a made-up Llama of 97 million parameters as GGUF, for benchmarks: node scripts/make-llama.mjs FILE [f32|q4_0]
import { closeSync, openSync, writeSync } from "node:fs";

const sizes = { width: 768, layers: 12, heads: 12, feedForward: 2048, vocabulary: 16_000, positions: 1024 };
const [file, type = "f32"] = process.argv.slice(2);
/** By type: its number in GGUF, and how many bytes a block of elements takes. */
const types = { f32: { id: 0, elements: 1, bytes: 4 }, q4_0: { id: 2, elements: 32, bytes: 18 } };
if (file === undefined || !Object.hasOwn(types, type))
  throw new Error("usage: node scripts/make-llama.mjs FILE [f32|q4_0]");
const alignment = 32;
const aligned = (length) => Math.ceil(length / alignment) * alignment;

const number = (bytes, write) => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};
const uint32 = (value) => number(4, (buffer) => buffer.writeUInt32LE(value));
const uint64 = (value) => number(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
const float32 = (value) => number(4, (buffer) => buffer.writeFloatLE(value));
const text = (value) => Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);

/** Three special tokens, the 256 bytes, and words, with the kinds that llama.cpp gives them. */
const words = Array.from({ length: sizes.vocabulary }, (_, i) => {
  if (i < 3) return { word: ["<unk>", "<s>", "</s>"][i], kind: i === 0 ? 2 : 3 };
  if (i < 259) return { word: `<0x${(i - 3).toString(16).toUpperCase().padStart(2, "0")}>`, kind: 6 };
  return { word: `word${i}`, kind: 1 };
});
const list = (kind, values) => Buffer.concat([uint32(kind), uint64(values.length), ...values]);

// Of the format's types of values: 4 is uint32, 5 int32, 6 float32, 8 a text, 9 a list.
const facts = [
  ["general.architecture", 8, text("llama")],
  ["llama.block_count", 4, uint32(sizes.layers)],
  ["llama.context_length", 4, uint32(sizes.positions)],
  ["llama.embedding_length", 4, uint32(sizes.width)],
  ["llama.feed_forward_length", 4, uint32(sizes.feedForward)],
  ["llama.attention.head_count", 4, uint32(sizes.heads)],
  ["llama.attention.head_count_kv", 4, uint32(sizes.heads)],
  ["llama.attention.layer_norm_rms_epsilon", 6, float32(1e-5)],
  ["llama.rope.freq_base", 6, float32(10_000)],
  ["llama.rope.dimension_count", 4, uint32(sizes.width / sizes.heads)],
  ["llama.vocab_size", 4, uint32(sizes.vocabulary)],
  ["tokenizer.ggml.model", 8, text("llama")],
  [
    "tokenizer.ggml.tokens",
    9,
    list(
      8,
      words.map(({ word }) => text(word)),
    ),
  ],
  [
    "tokenizer.ggml.scores",
    9,
    list(
      6,
      words.map((_, i) => float32(-i)),
    ),
  ],
  [
    "tokenizer.ggml.token_type",
    9,
    list(
      5,
      words.map(({ kind }) => uint32(kind)),
    ),
  ],
];

/** Names and extents, the fastest axis first. */
const tensors = [
  ["token_embd.weight", [sizes.width, sizes.vocabulary]],
  ...Array.from({ length: sizes.layers }, () => [
    ["attn_norm.weight", [sizes.width]],
    ...["attn_q", "attn_k", "attn_v", "attn_output"].map((name) => [`${name}.weight`, [sizes.width, sizes.width]]),
    ["ffn_norm.weight", [sizes.width]],
    ...["ffn_gate", "ffn_up"].map((name) => [`${name}.weight`, [sizes.width, sizes.feedForward]]),
    ["ffn_down.weight", [sizes.feedForward, sizes.width]],
  ]).flatMap((block, i) => block.map(([name, shape]) => [`blk.${i}.${name}`, shape])),
  ["output_norm.weight", [sizes.width]],
].map(([name, shape]) => {
  const { id, elements, bytes } = shape.length === 1 ? types.f32 : types[type];
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { name, shape, id, length: (count / elements) * bytes };
});

/** Norms are ones; of matrices float32 numbers within ±0.03, or blocks of a scale of 2⁻⁸ (0x1c00) and 32 times four bits. */
function* contents({ shape, id, length }) {
  const chunk = Buffer.alloc(types.q4_0.bytes * 4096);
  for (let written = 0; written < length; written += chunk.length) {
    if (shape.length === 1) new Float32Array(chunk.buffer, chunk.byteOffset, chunk.length / 4).fill(1);
    else if (id === types.f32.id)
      for (let at = 0; at < chunk.length; at += 4) chunk.writeFloatLE((Math.random() - 0.5) * 0.06, at);
    else
      for (let at = 0; at < chunk.length; at++)
        chunk[at] = at % 18 === 0 ? 0 : at % 18 === 1 ? 0x1c : Math.random() * 256;
    yield chunk.subarray(0, Math.min(chunk.length, length - written));
  }
}

const output = openSync(file, "w");
let position = 0;
const write = (bytes) => {
  position += writeSync(output, bytes);
};
write(Buffer.concat([Buffer.from("GGUF"), uint32(3), uint64(tensors.length), uint64(facts.length)]));
for (const [name, kind, value] of facts) write(Buffer.concat([text(name), uint32(kind), value]));
let offset = 0;
for (const { name, shape, id, length } of tensors) {
  write(Buffer.concat([text(name), uint32(shape.length), ...shape.map(uint64), uint32(id), uint64(offset)]));
  offset += aligned(length);
}
const pad = () => write(Buffer.alloc(aligned(position) - position));
pad();
for (const tensor of tensors) {
  for (const bytes of contents(tensor)) write(bytes);
  pad();
}
closeSync(output);
