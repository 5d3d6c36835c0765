/** Greedy soups (Wortsman et al. 2022, "Model soups", section 3, recipe 1). */
import { DataError } from "../../core/errors.ts";
import { functionOf, oneOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import { average } from "./average.ts";
import { requireCount } from "./method.ts";
import { mergeTensors, type TensorsByPath } from "./tensors.ts";

/** Options of `greedySoup`. */
export interface GreedySoupOptions {
  /** Measures a model, given as tensors by path, on the validation part. */
  readonly validate: (tensors: TensorsByPath) => number | Promise<number>;
  /** Whether a better result is higher, as an accuracy, or lower, as a loss; default `"up"`. */
  readonly direction?: "up" | "down";
}

const checkOptions = optionsOf<GreedySoupOptions>("greedySoup", {
  validate: required(functionOf<GreedySoupOptions["validate"]>("(tensors) => result")),
  direction: oneOf("up", "down"),
});

/** What `greedySoup` came to. */
export interface GreedySoup {
  /** The mean of the members, by path. */
  readonly tensors: Record<string, Tensor>;
  /** Places of the models that are in it, in the order in which they were added. */
  readonly members: readonly number[];
  /** Its result on the validation part. */
  readonly result: number;
  /** The result of each model by itself, in the order of the models. */
  readonly results: readonly number[];
}

/**
 * Adds models to a mean in the order of their results on the validation part, the best first, and keeps each with which the result of the
 * mean does not get worse: the soup is never worse there than the best model. Measure the soup on a test that chose nothing. Throws
 * OptionError without models, DataError for a result that is no number, and as `mergeTensors`.
 * @example
 * const soup = await greedySoup(models.map(tensorsOfModule), {
 *   validate: async (tensors) => {
 *     loadParameters(model, tensors);
 *     return (await evaluate(model, validation, measured)).results.accuracy ?? 0;
 *   },
 * });
 */
export async function greedySoup(models: readonly TensorsByPath[], options: GreedySoupOptions): Promise<GreedySoup> {
  const { validate, direction = "up" } = checkOptions(options);
  requireCount("greedySoup", models.length, 1);
  const mean = (members: readonly number[]) =>
    mergeTensors(
      members.map((i) => models[i] as TensorsByPath),
      average(),
    );
  // Refuses models that do not fit together before hours are spent on measuring them.
  mergeTensors(models, average());
  const measured = async (what: string, tensors: TensorsByPath) => {
    const result = await validate(tensors);
    if (typeof result !== "number" || Number.isNaN(result))
      throw new DataError(`greedySoup: the result of ${what} is ${result}; return a number from validate`);
    return result;
  };
  const results: number[] = [];
  for (const [i, tensors] of models.entries()) results.push(await measured(`model ${i + 1}`, tensors));
  const sign = direction === "up" ? 1 : -1;
  const order = [...models.keys()].sort((a, b) => sign * ((results[b] as number) - (results[a] as number)) || a - b);
  let members = order.slice(0, 1);
  let result = results[members[0] as number] as number;
  for (const next of order.slice(1)) {
    const tried = [...members, next];
    const own = await measured(`the mean of ${tried.length} models`, mean(tried));
    if (sign * (own - result) < 0) continue;
    members = tried;
    result = own;
  }
  return { tensors: mean(members), members, result, results };
}
