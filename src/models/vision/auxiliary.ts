/** Classifiers with auxiliary heads: logits from inside the network that a training loss adds (Szegedy et al. 2015). */
import { OptionError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, type Loss, Module } from "../../nn/index.ts";
import { add, mul } from "../../ops/index.ts";

/**
 * A classifier whose `call` returns the main logits. The auxiliary heads are traced in every mode, so that their
 * parameters exist; in evaluation nothing asks for what they compute, and it is left out of the graph.
 */
export abstract class AuxiliaryClassifier extends Module {
  readonly #logits = new WeakMap<Value, readonly Value[]>();

  /**
   * Auxiliary logits, [N, classes] each, of the call that returned `output`; none in evaluation or when built without
   * heads. Throws OptionError for a value that is no output of this model.
   */
  auxiliary(output: Value): readonly Value[] {
    const logits = this.#logits.get(output);
    if (!logits)
      throw new OptionError(
        `auxiliary logits were asked for a value that this ${this.constructor.name} did not return; pass the output of its call`,
      );
    return logits;
  }

  /** Keeps the auxiliary logits of a call beside its output, which it returns. */
  protected withAuxiliary(output: Value, logits: readonly Value[], { training }: Context): Value {
    this.#logits.set(output, training ? logits : []);
    return output;
  }
}

/**
 * A loss that adds that of every auxiliary head, times `weight`; in evaluation it is the loss alone. The weight 0.3 is
 * GoogLeNet's (Szegedy et al. 2015, sec. 5).
 * @example
 * const model = new GoogLeNet({ classes: 10 });
 * await fit(model, data, { loss: auxiliaryLoss(model, crossEntropy()), optimizer: sgd(), epochs: 3 });
 */
export function auxiliaryLoss(model: AuxiliaryClassifier, loss: Loss, weight = 0.3): Loss {
  const total = (output: Value, target: Value): Value =>
    model.auxiliary(output).reduce((sum, logits) => add(sum, mul(loss(logits, target), weight)), loss(output, target));
  return Object.assign(total, loss);
}
