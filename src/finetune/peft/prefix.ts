/** Prefix tuning in PEFT's files: one matrix holds the keys and values of all attentions. */
import { OptionError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { addPrefix, type PrefixOptions, type PrefixPlace, prefixMethod } from "../adapters/prefix.ts";
import { type PrefixFields, prefixSchema, readPeftFields } from "./fields.ts";
import type { JoinedTensor, PeftKind, PeftLayer } from "./kinds.ts";

/** Where the features of one head of one token lie in a part, [1, heads, tokens, width], and in the matrix of all parts. */
interface Run {
  readonly part: number;
  readonly inPart: number;
  readonly inMatrix: number;
  readonly width: number;
}

function* runsOf(shapes: readonly Shape[]): Generator<Run> {
  const [, columns] = matrixShape(shapes);
  let first = 0;
  for (const [part, [, heads = 1, tokens = 1, width = 1]] of shapes.entries())
    for (let head = 0; head < heads; head++, first += width)
      for (let token = 0; token < tokens; token++)
        yield { part, inPart: (head * tokens + token) * width, inMatrix: token * columns + first, width };
}

function matrixShape(shapes: readonly Shape[]): readonly [tokens: number, columns: number] {
  const [, , tokens = 1] = shapes[0] ?? [];
  return [tokens, shapes.reduce((sum, shape) => sum + size(shape) / tokens, 0)];
}

/** A row for each token, [tokens, layers · 2 · heads · width]: the keys of the first layer, its values, those of the next (PeftModel.get_prompt). */
const joined: JoinedTensor = {
  name: "prompt_embeddings",
  shape: matrixShape,
  join(parts) {
    const shapes = parts.map(({ shape }) => shape);
    const matrix = new Float32Array(size(matrixShape(shapes)));
    for (const { part, inPart, inMatrix, width } of runsOf(shapes))
      matrix.set(parts[part]?.data.subarray(inPart, inPart + width) ?? [], inMatrix);
    return new Tensor("float32", matrixShape(shapes), matrix);
  },
  split({ data }, shapes) {
    const parts = shapes.map((shape) => new Tensor("float32", shape, new Float32Array(size(shape))));
    for (const { part, inPart, inMatrix, width } of runsOf(shapes))
      parts[part]?.data.set(data.subarray(inMatrix, inMatrix + width), inPart);
    return parts;
  },
};

/** Throws OptionError for attention that PEFT's matrix has no place for, or before which it computes otherwise. */
function requirePlain(layers: readonly PeftLayer<PrefixPlace>[]): PrefixPlace["sizes"] {
  const [first, ...others] = layers.map(({ site }) => site.sizes) as [PrefixPlace["sizes"], ...PrefixPlace["sizes"][]];
  const differs = others.some(
    (own) => own.heads !== first.heads || own.keyWidth !== first.keyWidth || own.causal !== first.causal,
  );
  const problem = [first, ...others].some(({ biased }) => biased)
    ? "its attention has biases by distance, which PEFT counts from the prefix on"
    : differs || first.keyWidth !== first.valueWidth
      ? "its attentions are not all alike, as those of an encoder and a decoder"
      : undefined;
  if (problem)
    throw new OptionError(
      `a prefix of the model has no form in PEFT's files: ${problem}; save the model with it: saveModel(model, folder)`,
    );
  return first;
}

/** PEFT's `PREFIX_TUNING`, whose reparameterization its files have multiplied out. */
export const prefix: PeftKind<PrefixOptions, PrefixFields, PrefixPlace> = {
  type: "PREFIX_TUNING",
  method: prefixMethod,
  prefix: "base_model.",
  read: (config, report) => readPeftFields(prefixSchema, config, report),
  options: ({ num_virtual_tokens: tokens }) => ({ tokens, shiftsPositions: true }),
  fields({ tokens, shiftsPositions }, layers) {
    const { heads, keyWidth } = requirePlain(layers);
    if (!shiftsPositions)
      throw new OptionError(
        "PEFT counts the prefix among the positions, and this one was trained without; add it so: addPrefix(model, { tokens, shiftsPositions: true })",
      );
    return {
      num_virtual_tokens: tokens,
      token_dim: heads * keyWidth,
      num_attention_heads: heads,
      num_layers: layers.length,
      num_transformer_submodules: 1,
      encoder_hidden_size: heads * keyWidth,
      prefix_projection: false,
    };
  },
  add: addPrefix,
  stored: (_, shape) => shape,
  needsTask: true,
  joined,
};
