/** Direct logit attribution: what each block writes into the residual stream for the score of a token. */
import { OptionError, UnsupportedError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { normalizeAxis } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type Node, nodesOf, type Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import type { Module } from "../../nn/index.ts";
import {
  add,
  expand,
  LayerNormalization,
  mul,
  RMSNormalization,
  reciprocal,
  reduceMean,
  SimplifiedLayerNormalization,
  sqrt,
  square,
  sub,
  zeros,
} from "../../ops/index.ts";
import { predictor } from "../../train/predict.ts";
import { type Completeness, completenessOf } from "../attribution.ts";
import { classIn } from "../target.ts";
import { requireSampleInputs, type SampleInputs } from "../tokens/token-inputs.ts";
import {
  type ResidualStream,
  type StreamOptions,
  type StreamPart,
  StreamReader,
  streamTypes,
} from "./residual-stream.ts";

/** Options of `logitContributions`. */
export interface LogitOptions extends StreamOptions {
  /** The token whose score is divided; default that of the largest score. */
  readonly token?: number | undefined;
}

const checkOptions = optionsOf<LogitOptions>("logitContributions", { ...streamTypes, token: count(0) });

/** What a part of a model adds to the score of a token. */
export interface LogitContribution {
  /** A block, `transformer.h.3`; `embedding` of what enters the first, `bias` of the last norm and the head. */
  readonly path: string;
  readonly value: number;
}

/** The score of a token, divided among the parts of a model. */
export interface LogitContributions {
  /** The token. */
  readonly token: number;
  /** Its score. */
  readonly score: number;
  readonly contributions: readonly LogitContribution[];
  readonly completeness: Completeness;
  /** What the reader should know of this result, a sentence each. */
  readonly notes: readonly string[];
}

const normalizations: ReadonlySet<OpDef> = new Set([
  LayerNormalization,
  RMSNormalization,
  SimplifiedLayerNormalization,
]);

/** A norm of states as a linear function of them, its scale that of the whole states. */
function linearNorm({ op, inputs, outputs, attributes }: Node, states: Value): Value {
  const [x, scale] = inputs as readonly [Value, Value];
  const { axis = -1, epsilon = 1e-5 } = attributes as { readonly axis?: number; readonly epsilon?: number };
  const axes = x.shape.map((_, i) => i).slice(normalizeAxis(axis, x.rank));
  const mean = (value: Value) => reduceMean(value, axes, { keepDims: true });
  if (op === LayerNormalization) return mul(mul(sub(states, mean(states)), outputs[2] as Value), scale);
  return mul(mul(states, reciprocal(sqrt(add(mean(square(x)), epsilon)))), scale);
}

/** The values that what is written into the stream goes through on the way to the scores: the head is linear from there on. */
function writtenParts({ blocks, last, scores, head }: ResidualStream): readonly StreamPart[] {
  const norms = nodesOf([scores], new Set([last])).filter(({ op }) => normalizations.has(op));
  const [norm, ...others] = norms;
  if (others.length > 0)
    throw new UnsupportedError(
      `logitContributions: ${norms.length} norms lie between the last block and the scores, where one is linear; ask for tokenAttributions`,
    );
  const reads = norm?.outputs[0] ?? last;
  const scored = (value: Value) => head(new Map([[reads, value]]));
  const none = scored(expand(zeros([1], reads.dtype), reads.shape));
  const read = (states: Value): Value => {
    if (!norm) return states;
    const [taken] = rewrite([norm.inputs[0] as Value], () => undefined, new Map([[last, states]])).outputs;
    return linearNorm(norm, norm.inputs[0] === last ? states : (taken as Value));
  };
  const bias = norm?.op === LayerNormalization ? norm.inputs[2] : undefined;
  const written = [
    { path: "embedding", value: blocks[0]?.input as Value },
    ...blocks.map(({ path, input, output }) => ({ path, value: sub(output, input) })),
  ];
  return [
    ...written.map(({ path, value }) => ({ path, value: sub(scored(read(value)), none) })),
    { path: "bias", value: bias ? scored(expand(bias, reads.shape)) : none },
  ];
}

/** The scores, then what each part adds to them, [1, tokens] each. */
class Contributions extends StreamReader {
  protected partsOf(stream: ResidualStream): readonly StreamPart[] {
    return [{ path: "scores", value: stream.scores }, ...writtenParts(stream)];
  }
}

/**
 * The score of a next token divided among what enters the first block of a language model, what each block adds to the stream, and the biases of
 * the last norm and the head (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"). The last norm is linear but for its scale,
 * which is taken as it is for the whole stream: the contributions sum to the score. They are what blocks write for the score directly, not what
 * later blocks make of it. Throws as `logitLens`, and OptionError for a token that there is not; where the head is not linear, a note says so.
 * @param inputs token ids [1, T], or inputs by name
 * @example const { contributions } = await explain.logitContributions(gpt, ids, { token: 42 });
 */
export async function logitContributions<O>(
  model: Module<never, O>,
  inputs: SampleInputs,
  options: LogitOptions = {},
): Promise<LogitContributions> {
  const { token } = checkOptions(options);
  requireSampleInputs(inputs);
  const module = new Contributions(model, { position: options.position, blocks: options.blocks });
  const ask = predictor(module);
  try {
    const [scores, ...parts] = (await ask(inputs as never)) as unknown as readonly Tensor<"float32">[];
    const all = scores?.data ?? new Float32Array();
    if (token !== undefined && token >= all.length)
      throw new OptionError(`token: there is no token ${token} among ${all.length}; pass 0 to ${all.length - 1}`);
    const chosen = classIn(all, token ?? "largest");
    const score = all[chosen] as number;
    const contributions = parts.map(({ data }, i) => ({
      path: module.paths[i + 1] as string,
      value: data[chosen] as number,
    }));
    return {
      token: chosen,
      score,
      contributions,
      ...completenessOf(
        contributions.map(({ value }) => value),
        score,
        "the head is not linear, and what blocks write for it cannot be divided",
      ),
    };
  } finally {
    await ask.release();
  }
}
