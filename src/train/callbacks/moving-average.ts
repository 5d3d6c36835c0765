/** Averages of weights along a run. */
import { fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Callback } from "./callback.ts";
import { putParameters, savedParametersSchema } from "./saved-parameters.ts";

/** Options of `movingAverage`. */
export interface MovingAverageOptions {
  /** Share of the average that is kept at each batch; default 0.999. */
  readonly decay?: number;
}

const checkOptions = optionsOf<MovingAverageOptions>("movingAverage", { decay: fraction });

/**
 * Keeps an exponential moving average of all trained parameters (Polyak and Juditsky 1992; Tarvainen and Valpola 2017, sec. 2):
 * a <- decay · a + (1 - decay) · w, with a smaller decay in the first batches, (1 + n) / (10 + n). Validation measures the average,
 * and the model ends with it; buffers stay as they are.
 */
export function movingAverage(options: MovingAverageOptions = {}): Callback {
  const { decay = 0.999 } = checkOptions(options);
  let averages: Record<string, Float32Array> = {};
  return {
    name: "movingAverage",
    async onBatch({ model, trainer }) {
      const { batches } = trainer;
      await trainer.sync();
      const kept = Math.min(decay, (1 + batches) / (10 + batches));
      for (const [path, parameter] of model.parameters()) {
        const average = averages[path];
        const data = parameter.isBuffer || parameter.packed ? undefined : (parameter.value?.data as Float32Array);
        if (!data) continue;
        if (average) for (const [i, own] of average.entries()) average[i] = kept * own + (1 - kept) * (data[i] ?? 0);
        else averages[path] = data.slice();
      }
    },
    async aroundValidation({ model }, validate) {
      const averaged = [...model.parameters()].filter(([path]) => averages[path]);
      const values = averaged.map(([, parameter]) => ({ parameter, value: parameter.value }));
      putParameters(model, averages);
      try {
        await validate();
      } finally {
        for (const { parameter, value } of values) parameter.value = value;
      }
    },
    deliver: () => averages,
    state: () => averages,
    restore(saved) {
      const entries = Object.entries(savedParametersSchema.parse(saved ?? {}));
      averages = Object.fromEntries(entries.map(([path, data]) => [path, data.slice()]));
    },
  };
}
