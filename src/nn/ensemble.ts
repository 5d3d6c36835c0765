/** Ensembles: several models whose outputs are averaged. */
import { OptionError, ShapeError } from "../core/errors.ts";
import { showShape } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { add, div } from "../ops/index.ts";
import type { Context } from "./context.ts";
import { Module } from "./module.ts";

export class Ensemble extends Module {
  readonly kind = "container";
  readonly members: readonly Module[];
  constructor(members: readonly Module[]) {
    super();
    if (members.length === 0) throw new OptionError("an ensemble needs at least one member");
    this.members = members;
  }
  protected call(x: Value, context: Context): Value {
    const outputs = this.members.map((member) => member.apply(x, context));
    const shapes = new Set(outputs.map((output) => showShape(output.shape)));
    if (shapes.size > 1)
      throw new ShapeError(
        `the members of an ensemble give outputs ${[...shapes].join(" and ")}; make them of one shape`,
      );
    return div(
      outputs.reduce((sum, output) => add(sum, output)),
      outputs.length,
    );
  }
}

/** The mean of the members' outputs. */
export const ensemble = (members: readonly Module[]): Ensemble => new Ensemble(members);
