/** Tensors of requests that come together, through one engine. */
import type { Tensor } from "../../core/tensor.ts";
import { Batcher, type Clock } from "../batcher.ts";
import type { NamedTensors, TensorService } from "../served-model.ts";
import type { TensorEngine } from "./tensor-engine.ts";

/** How requests are joined. */
export interface BatchingOptions {
  /** Samples of a batch at most. */
  readonly most: number;
  /** Milliseconds that a request waits for others at most. */
  readonly wait: number;
  readonly clock: Clock;
  /** Is told the samples of each batch. */
  readonly onBatch?: (rows: number) => void;
}

/** A service over an engine: requests of one shape are computed together. */
export function batchedTensors(engine: TensorEngine, { most, wait, clock, onBatch }: BatchingOptions): TensorService {
  const batcher = new Batcher<readonly Tensor[], readonly Tensor[]>({
    most,
    wait,
    clock,
    rowsOf: (inputs) => engine.rowsOf(inputs),
    keyOf: (inputs) => engine.keyOf(inputs),
    run: (requests) => engine.run(requests),
    ...(onBatch && { onBatch }),
  });
  return {
    inputs: engine.inputs,
    outputs: engine.outputs,
    async infer(given: NamedTensors, signal: AbortSignal) {
      const results = await batcher.submit(engine.taken(given), signal);
      return new Map(engine.outputs.map(({ name }, i) => [name, results[i] as Tensor]));
    },
  };
}
