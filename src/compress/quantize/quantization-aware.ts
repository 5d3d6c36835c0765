/** Quantization-aware training: a network learns while what it computes is rounded as it will be in 8 bits. */
import { InternalError } from "../../core/errors.ts";
import { flag, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { size } from "../../core/shape.ts";
import { asFloat32, type Tensor, tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import type { ImportedModule } from "../../formats/imported-module.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { graphOf, type Node, type Value } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import type { AdaptedRun, AnyModule, Parameter } from "../../nn/index.ts";
import {
  abs,
  add,
  concat,
  div,
  maximum,
  minimum,
  mul,
  reduceMax,
  reduceMin,
  reshape,
  round,
  scalar,
  slice,
  stopGradient,
  sub,
} from "../../ops/index.ts";
import { traceForCompression, traceWeighted } from "../graph/trace-model.ts";
import { encodeWeighted, type HeldGraph } from "../graph/weighted-graph.ts";
import { calibrate } from "./calibrate.ts";
import { gridOf, type Range } from "./grid.ts";
import { type Placement, placementOf } from "./placement.ts";
import { quantizedGraph } from "./quantized-graph.ts";
import type { QuantizedModel } from "./quantized-model.ts";
import { namesWithout, plainProducts, requireSites, type Site, sitesOf, withoutKept } from "./sites.ts";
import { type StaticOptions, staticTypes } from "./static.ts";

/** Options of `quantizationAware`. */
export interface QuantizationAwareOptions extends Pick<StaticOptions, "inputs" | "keep" | "ranges" | "samples"> {
  /** Whether the steps of activations are learned as parameters (Esser et al. 2020), rather than observed; default false. */
  readonly learned?: boolean | undefined;
  /** What a step keeps of an observed range; the rest is that of its batch; default 0.99. */
  readonly momentum?: number | undefined;
}

const { inputs: inputsType, keep: keepType, ranges: rangesType, samples: samplesType } = staticTypes;
const checkOptions = optionsOf<QuantizationAwareOptions>("quantizationAware", {
  inputs: inputsType,
  keep: keepType,
  ranges: rangesType,
  samples: samplesType,
  learned: flag,
  momentum: fraction,
});

/** A network that is trained as it will be in 8 bits. */
export interface QuantizationAware {
  /**
   * The network with normalization folded, which `fit` trains like any other: products take rounded numbers, and gradients pass rounding as if it were not
   * there, within the range. Its dropout is gone.
   */
  readonly model: ImportedModule;
  /** The network as it is now in 8 bits: the same numbers as the training rounds to. */
  quantized(options?: { readonly metadata?: Readonly<Record<string, string>> }): QuantizedModel;
}

/** What is rounded in a graph of the network. */
interface Rounding {
  readonly sites: readonly Site[];
  readonly placement: Placement;
  /** The values whose ranges are known, in the order in which they come. */
  readonly sources: readonly Value[];
}

/** Most numbers of an activation and of a weight. */
const [mostOfActivation, mostOfWeight] = [255, 127];

const names = { low: "quantization_low", high: "quantization_high", step: "quantization_step" } as const;

/**
 * A network to be fine-tuned for 8 bits, where quantizing it as it is costs too much (Jacob et al. 2018, sec. 3; Krishnamoorthi 2018): ranges begin as calibration has them, and
 * weights are rounded by output channel. What comes of it is what `quantizeStatic` writes. Throws as that does.
 * @param data batches like those of training, of the training part
 * @example
 * const { model, quantized } = await quantizationAware(network, train);
 * await fit(model, train, { loss: crossEntropy(), optimizer: sgd({ learningRate: 1e-3 }), epochs: 2 });
 * const { bytes } = quantized();
 */
export async function quantizationAware(
  network: AnyModule,
  data: Dataset<Batch>,
  options: QuantizationAwareOptions = {},
): Promise<QuantizationAware> {
  const {
    inputs,
    keep,
    ranges: method = "minmax",
    samples = 256,
    learned = false,
    momentum = 0.99,
  } = checkOptions(options);
  const folded = plainProducts(traceForCompression(network, inputs, "quantizationAware"));
  requireSites(withoutKept(sitesOf(folded), keep), "quantizationAware");
  const model = modelFromOnnx(encodeWeighted(folded));
  const types = inputs ?? network.inputTypes;
  const traced = traceWeighted(model, model.inputTypes ?? types, "quantizationAware");
  const start = roundingOf(traced, keep);
  const found = await calibrate(traced, start.sources, { data, samples, method });
  const ranges = start.sources.map((source) => found.get(source) as Range);
  const store = (name: string, values: readonly number[], isBuffer: boolean): Parameter => {
    const value = asFloat32(tensor([...values]));
    const parameter = model.declare(name, { shape: value.shape, initializer: () => value.data.slice() }, isBuffer);
    parameter.value = value;
    return parameter;
  };
  const grids = ranges.map((range) => gridOf(range, "uint8", false));
  const zeros = grids.map(({ zero }) => zero);
  const held = learned
    ? {
        step: store(
          names.step,
          grids.map(({ scale }) => scale),
          false,
        ),
      }
    : {
        low: store(
          names.low,
          ranges.map(({ low }) => low),
          true,
        ),
        high: store(
          names.high,
          ranges.map(({ high }) => high),
          true,
        ),
      };
  const shape = [ranges.length];
  const spec = { shape, initializer: () => new Float32Array(ranges.length) };
  const adaptation = {
    apply(outputs: readonly Value[], run: AdaptedRun): readonly Value[] {
      const rounding = roundingOf(graphOfRun(outputs, run), keep);
      if (rounding.sources.length !== ranges.length)
        throw new InternalError(`${rounding.sources.length} values to round, where ${ranges.length} have ranges`);
      const rounder = learned
        ? new LearnedSteps(run.context.parameter(model, names.step, spec), zeros)
        : new ObservedRanges(
            run.context.buffer(model, names.low, spec),
            run.context.buffer(model, names.high, spec),
            run.context.training ? momentum : undefined,
          );
      const result = roundedRun(outputs, run, rounding, rounder);
      if (rounder instanceof ObservedRanges)
        for (const [name, value] of rounder.updates()) run.context.update(model, name, value);
      return result;
    },
  };
  model.adaptations.push(adaptation);
  return {
    model,
    quantized({ metadata } = {}) {
      const now = rangesOf(held, zeros);
      const plain = without(model, adaptation, () => traceWeighted(model, model.inputTypes ?? types, "quantized"));
      const all = sitesOf(plain);
      const rounding = roundingOf(plain, keep);
      const byValue = new Map(rounding.sources.map((source, i) => [source, now[i] as Range]));
      const known = new Map([...rounding.placement].map(([value, source]) => [value, byValue.get(source) as Range]));
      const form = { perChannel: true, activations: "uint8", symmetric: false, reduceRange: false } as const;
      const { graph, layers } = quantizedGraph(plain, { ...rounding, ranges: known }, form);
      return { bytes: encodeWeighted(graph, metadata), layers, kept: namesWithout(all, rounding.sites), notes: [] };
    },
  };
}

/** Computes while a model is not adapted. */
function without<T>(model: AnyModule, adaptation: AnyModule["adaptations"][number], compute: () => T): T {
  const place = model.adaptations.indexOf(adaptation);
  model.adaptations.splice(place, 1);
  try {
    return compute();
  } finally {
    model.adaptations.splice(place, 0, adaptation);
  }
}

/** What is rounded in a graph, in an order that depends on the graph alone. */
function roundingOf(traced: HeldGraph, keep: PathPatterns | undefined): Rounding {
  const sites = withoutKept(sitesOf(traced), keep);
  const placement = placementOf(traced, sites);
  const shared = new Set(placement.values());
  const inOrder = [...traced.graph.inputs, ...traced.graph.nodes.flatMap(({ outputs }) => outputs)];
  return { sites, placement, sources: inOrder.filter((value) => shared.has(value)) };
}

/** The graph of a run, with the weights that it reads. */
function graphOfRun(outputs: readonly Value[], run: AdaptedRun): HeldGraph {
  const parameters = new Map<Value, Tensor>();
  for (const [parameter, value] of run.context.values) if (parameter.value) parameters.set(value, parameter.value);
  return { graph: graphOf([...run.inputs, ...parameters.keys()], outputs), parameters };
}

/** Ranges as they are held now. */
function rangesOf(
  held: Readonly<Partial<Record<keyof typeof names, Parameter>>>,
  zeros: readonly number[],
): readonly Range[] {
  const numbers = (parameter: Parameter | undefined) => (parameter?.value?.data ?? []) as Float32Array;
  if (!held.step) {
    const [low, high] = [numbers(held.low), numbers(held.high)];
    return Array.from(low, (own, i) => ({ low: own, high: high[i] as number }));
  }
  return Array.from(numbers(held.step), (step, i) => {
    const zero = zeros[i] as number;
    return { low: -zero * Math.abs(step), high: (mostOfActivation - zero) * Math.abs(step) };
  });
}

/** Rounds the value whose range has a place. */
interface Rounder {
  rounded(x: Value, place: number): Value;
}

/** The run with rounded numbers: of values behind what computes them, of weights where products take them. */
function roundedRun(
  outputs: readonly Value[],
  run: AdaptedRun,
  rounding: Rounding,
  rounder: Rounder,
): readonly Value[] {
  const { sites, placement, sources } = rounding;
  const placeOf = new Map(sources.map((source, i) => [source, i]));
  const siteOf = new Map(sites.map((site) => [site.node, site]));
  const rounded = (value: Value, source: Value): Value => {
    const shared = placement.get(source);
    return shared ? rounder.rounded(value, placeOf.get(shared) as number) : value;
  };
  const taken = new Map(
    run.inputs.filter((value) => placement.has(value)).map((value) => [value, rounded(value, value)]),
  );
  const weights = new Map<Value, Value>();
  return run.rewrite(outputs, (node, original) => {
    const site = siteOf.get(original);
    const inputs = node.inputs.map((value, i) => {
      if (site && i === 1 && value) {
        const own = weights.get(site.weight) ?? roundedWeight(value, site);
        weights.set(site.weight, own);
        return own;
      }
      return value && (taken.get(value) ?? value);
    });
    const isSame = inputs.every((value, i) => value === node.inputs[i]);
    const own: Node = isSame ? node : makeNode(node.op, inputs, node.attributes, node.scope);
    const results = own.outputs.map((value, i) => rounded(value, original.outputs[i] as Value));
    return results.every((value, i) => value === node.outputs[i]) ? undefined : results;
  });
}

/** A value whose gradient is that of x. */
const passing = (x: Value, value: Value): Value => add(x, stopGradient(sub(value, x)));

/** A weight rounded to whole multiples of max |w| / 127, by output channel. */
function roundedWeight(weight: Value, { outputAxis }: Site): Value {
  const others = weight.shape.flatMap((_, axis) => (axis === outputAxis ? [] : [axis]));
  const extreme = reduceMax(abs(weight), others, { keepDims: true });
  const step = stopGradient(maximum(div(extreme, mostOfWeight), scalar(2 ** -126, weight.dtype)));
  return passing(weight, mul(round(div(weight, step)), step));
}

const at = (vector: Value, place: number): Value =>
  reshape(slice(vector, { axis: 0, start: place, end: place + 1 }), []);

/** Ranges that follow the batches. */
class ObservedRanges implements Rounder {
  readonly #low: Value;
  readonly #high: Value;
  readonly #momentum: number | undefined;
  readonly #seen = new Map<number, readonly [low: Value, high: Value]>();

  /** @param momentum of the ranges; `undefined` where they stay */
  constructor(low: Value, high: Value, momentum: number | undefined) {
    [this.#low, this.#high, this.#momentum] = [low, high, momentum];
  }

  rounded(x: Value, place: number): Value {
    const zero = scalar(0, x.dtype);
    let [low, high] = [at(this.#low, place), at(this.#high, place)];
    if (this.#momentum !== undefined && !this.#seen.has(place)) {
      const kept = (old: Value, now: Value) => add(mul(old, this.#momentum ?? 1), mul(now, 1 - (this.#momentum ?? 1)));
      this.#seen.set(place, [kept(low, reduceMin(stopGradient(x))), kept(high, reduceMax(stopGradient(x)))]);
    }
    [low, high] = this.#seen.get(place) ?? [low, high];
    const [from, to] = [minimum(low, zero), maximum(high, zero)];
    const step = maximum(div(sub(to, from), mostOfActivation), scalar(2 ** -126, x.dtype));
    const first = mul(round(div(from, step)), step);
    const last = add(first, mul(step, mostOfActivation));
    const inside = minimum(maximum(x, stopGradient(first)), stopGradient(last));
    return passing(inside, mul(round(div(inside, step)), step));
  }

  /** What the ranges become, by the names of their buffers. */
  updates(): readonly (readonly [name: string, value: Value])[] {
    const count = size(this.#low.shape);
    if (this.#seen.size === 0) return [];
    const of = (i: 0 | 1, old: Value) =>
      concat(
        Array.from({ length: count }, (_, place) => reshape(this.#seen.get(place)?.[i] ?? at(old, place), [1])),
        0,
      );
    return [
      [names.low, of(0, this.#low)],
      [names.high, of(1, this.#high)],
    ];
  }
}

/** Steps that gradients move (Esser et al. 2020, eq. 1 to 3), around zeros that stay. */
class LearnedSteps implements Rounder {
  readonly #steps: Value;
  readonly #zeros: readonly number[];

  constructor(steps: Value, zeros: readonly number[]) {
    [this.#steps, this.#zeros] = [steps, zeros];
  }

  rounded(x: Value, place: number): Value {
    const zero = this.#zeros[place] as number;
    // Gradients of a step are sums over all numbers: smaller by a factor, they are of the size of those of weights (sec. 2.2).
    const factor = 1 / Math.sqrt((size(x.shape) / (x.shape[0] ?? 1)) * mostOfActivation);
    const own = abs(at(this.#steps, place));
    const step = add(mul(own, factor), stopGradient(mul(own, 1 - factor)));
    const bound = (value: number) => scalar(value, x.dtype);
    const inside = minimum(maximum(div(x, step), bound(-zero)), bound(mostOfActivation - zero));
    return mul(passing(inside, round(inside)), step);
  }
}
