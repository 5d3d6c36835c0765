/** Every case by family, and what the recorder of PyTorch's values needs to know of each. */
import { isFloat } from "../core/dtype.ts";
import { foldIn, keyOf } from "../core/random.ts";
import { size } from "../core/shape.ts";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { activationCases } from "./activations.cases.ts";
import { algebraCases } from "./algebra/algebra.cases.ts";
import { attentionCases } from "./attention/attention.cases.ts";
import { classicCases } from "./classic/classic.cases.ts";
import { constantCases } from "./constant.cases.ts";
import { controlCases } from "./control/control.cases.ts";
import { inputTensors, inputValues, type OpCase, randomNumbers } from "./define.cases.ts";
import { einsumCases } from "./einsum.cases.ts";
import { elementwiseCases } from "./elementwise.cases.ts";
import { functionCases } from "./functions.cases.ts";
import { fusionCases } from "./fusions.cases.ts";
import { add, cast, constant, mul, reduceSum } from "./index.ts";
import { indexingCases } from "./indexing.cases.ts";
import { logicCases } from "./logic.cases.ts";
import { matmulFamilyCases } from "./matmul.cases.ts";
import { movementCases } from "./movement.cases.ts";
import { channelNormalizationCases } from "./normalization/channel-normalization.cases.ts";
import { normalizationCases } from "./normalization/normalization.cases.ts";
import { quantizationCases } from "./quantized/quantization.cases.ts";
import { quantizedCases } from "./quantized/quantized.cases.ts";
import { randomCases } from "./random.cases.ts";
import { rearrangeCases } from "./rearrange.cases.ts";
import { recurrentCases } from "./recurrent/recurrent.cases.ts";
import { reduceCases } from "./reduce.cases.ts";
import { selectionCases } from "./selection/selection.cases.ts";
import { signalCases } from "./signal/signal.cases.ts";
import { slicingCases } from "./slicing.cases.ts";
import { staticValueCases } from "./static-values.cases.ts";
import { textCases } from "./text/text.cases.ts";
import { labelScoreCases } from "./training/label-scores.cases.ts";
import { lossCases } from "./training/losses.cases.ts";
import { ranksCases } from "./training/ranks.cases.ts";
import { updateCases } from "./training/updates.cases.ts";
import { interpolationCases } from "./vision/interpolation.cases.ts";
import { suppressionCases } from "./vision/suppression.cases.ts";
import { visionCases } from "./vision/vision.cases.ts";
import { convolutionCases } from "./windows/convolution.cases.ts";
import { nchwcCases } from "./windows/nchwc.cases.ts";
import { poolingCases } from "./windows/pooling.cases.ts";

/** Cases by family; a family's recorded values are in test/fixtures/ops/<family>.json. */
export const caseFamilies: Readonly<Record<string, readonly OpCase[]>> = {
  constant: constantCases,
  "static-values": staticValueCases,
  random: randomCases,
  ranks: ranksCases,
  elementwise: elementwiseCases,
  functions: functionCases,
  activations: activationCases,
  logic: logicCases,
  matmul: matmulFamilyCases,
  reduce: reduceCases,
  movement: movementCases,
  slicing: slicingCases,
  convolution: convolutionCases,
  pooling: poolingCases,
  indexing: indexingCases,
  normalization: normalizationCases,
  rearrange: rearrangeCases,
  interpolation: interpolationCases,
  "channel-normalization": channelNormalizationCases,
  quantization: quantizationCases,
  quantized: quantizedCases,
  einsum: einsumCases,
  fusions: fusionCases,
  nchwc: nchwcCases,
  classic: classicCases,
  attention: attentionCases,
  recurrent: recurrentCases,
  suppression: suppressionCases,
  labelScores: labelScoreCases,
  losses: lossCases,
  updates: updateCases,
  vision: visionCases,
  signal: signalCases,
  algebra: algebraCases,
  selection: selectionCases,
  text: textCases,
  control: controlCases,
};

export const keyOfCase = ({ op, name }: OpCase): string => `${op.type}: ${name}`;

/** Weights of each output in the loss, `undefined` for outputs that are not floats. */
export const lossWeights = (opCase: OpCase): readonly (readonly number[] | undefined)[] =>
  opCase
    .build(inputValues(opCase))
    .map((y, i) => (isFloat(y.dtype) ? randomNumbers(opCase, `weights ${i}`, size(y.shape)) : undefined));

/** A direction in each float input, by name. */
export const directionOf = (opCase: OpCase, which: number): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(
    Object.entries(opCase.inputs)
      .filter(([, { dtype }]) => isFloat(dtype))
      .map(([name, { shape }]) => [name, randomNumbers(opCase, `direction ${which} of ${name}`, size(shape))]),
  );

/** What the recorder evaluates, and a digest by which the sweep knows a recording of another case. */
export function recordingRequest(opCase: OpCase) {
  const request = {
    torch: opCase.torch,
    inputs: Object.fromEntries(
      Object.entries(inputTensors(opCase)).map(([name, { dtype, shape, data }]) => [
        name,
        { dtype, shape, data: Array.from(data as ArrayLike<number | bigint>, Number) },
      ]),
    ),
    weights: opCase.derivative === "none" ? [] : lossWeights(opCase).map((weights) => weights ?? null),
    direction: opCase.noFloat64 !== undefined && opCase.derivative === "twice" ? directionOf(opCase, 0) : null,
  };
  // Six digits: the logarithms behind normal numbers may differ in the last bit between machines.
  const text = JSON.stringify(request, (_, item) => (typeof item === "number" ? item.toPrecision(6) : item));
  return { ...request, digest: foldIn(keyOf(0), text).join("-") };
}

export const recordingRequests = () =>
  Object.entries(caseFamilies).map(([family, cases]) => ({
    family,
    cases: cases.map((opCase) => ({ key: keyOfCase(opCase), ...recordingRequest(opCase) })),
  }));

/** Σ w (y + y²/2) over the float outputs, as the recorder has it. */
export function lossOf(outputs: readonly Value[], weights: readonly (readonly number[] | undefined)[]): Value {
  const terms = outputs.flatMap((y, i) => {
    const elements = weights[i];
    if (!elements) return [];
    const w = constant(tensor(elements, { dtype: y.dtype, shape: y.shape }));
    return [reduceSum(mul(w, add(y, mul(0.5, mul(y, y)))))];
  });
  return terms.reduce((sum, term) => add(sum, cast(term, sum.dtype)));
}
