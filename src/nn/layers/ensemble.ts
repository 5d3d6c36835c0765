/** Ensembles: several models in place of one, whose outputs or weights are averaged. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { add, div } from "../../ops/index.ts";
import { Context } from "../context.ts";
import { type AnyModule, Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";

/** What ensembles have in common: members that may be trained one after the other. */
abstract class Members extends Module {
  readonly members: readonly Module[];
  /** The member that is trained now, after which those to come take no part yet; default all are. */
  learner: number | undefined = undefined;
  constructor(members: readonly Module[]) {
    super();
    if (members.length === 0) throw new OptionError("an ensemble needs at least one member");
    this.members = members;
  }

  /** Trains the member `index` from here on, and stops the training of the others. */
  teach(index: number): void {
    const learner = this.members[index];
    if (!learner)
      throw new OptionError(`there is no member ${index}; pass a number from 0 to ${this.members.length - 1}`);
    this.learner = index;
    this.freeze();
    learner.unfreeze();
  }

  protected call(x: Value, context: Context): Value {
    const { learner = this.members.length - 1 } = this;
    if (context.training && this.learner !== undefined) return (this.members[learner] as Module).apply(x, context);
    return this.combined(x, context, this.members.slice(0, learner + 1));
  }

  /** The output of several members. */
  protected abstract combined(x: Value, context: Context, members: readonly Module[]): Value;
}

/**
 * The mean of its members' outputs: inputs as each member takes them, outputs of the members' shape. While `teach`
 * trains one member, a training call runs that member alone. Make one with `ensemble`.
 */
export class Ensemble extends Members {
  protected combined(x: Value, context: Context, members: readonly Module[]): Value {
    const outputs = members.map((member) => member.apply(x, context));
    const shapes = new Set(outputs.map((output) => showShape(output.shape)));
    if (shapes.size > 1)
      throw new ShapeError(
        `the members of an ensemble give outputs ${[...shapes].join(" and ")}; make them of one shape`,
      );
    return mean(outputs);
  }
}

const mean = (values: readonly Value[]): Value =>
  div(
    values.reduce((sum, value) => add(sum, value)),
    values.length,
  );

/**
 * The network that has the mean of its members' weights (Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and
 * Better Generalization): costs as much as one member, whose architecture all share.
 */
export class WeightAverage extends Members {
  protected combined(x: Value, context: Context, members: readonly Module[]): Value {
    // Gives the members their values in this context; what they compute is left unused.
    for (const member of members) member.apply(x, context);
    const known = members.map((member) => member.parameters());
    const average = new Context(members[0] as Module, {
      bind(_, path) {
        const own = known.map((parameters) => context.values.get(parameters.get(path) as Parameter) as Value);
        return mean(own);
      },
    });
    return (members[0] as Module).apply(x, average);
  }
}

/** Gives `target` the values of `source`, a network like it. Throws ShapeError when it is not. */
export function copyWeights(source: AnyModule, target: AnyModule): void {
  const known = source.parameters();
  for (const [path, parameter] of target.parameters()) {
    const own = known.get(path);
    if (!own || !sameShape(own.shape, parameter.shape))
      throw new ShapeError(
        `"${path}" is ${showShape(parameter.shape)} in one network and ${own ? showShape(own.shape) : "not there"} in the other; copy between networks alike`,
      );
    parameter.value = own.value && new Tensor("float32", own.shape, Float32Array.from(own.value.data as Float32Array));
  }
}

/**
 * An ensemble, which gives the mean of its members' outputs. Members differ by their initial weights, and by their data
 * where you train them one after the other with `teach`. Throws OptionError without members, ShapeError where their
 * outputs differ in shape.
 * @example
 * const model = ensemble([buildNetwork(), buildNetwork(), buildNetwork()]);
 */
export const ensemble = (members: readonly Module[]): Ensemble => new Ensemble(members);
