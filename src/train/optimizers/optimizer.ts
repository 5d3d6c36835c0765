/** What an optimizer is: how parameters move, given their gradients and what is remembered of them. */
import { ShapeError } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { having, matching } from "../../core/option-types.ts";
import { type Shape, sameShape, showShape } from "../../core/shape.ts";
import { asFloat32, Tensor } from "../../core/tensor.ts";
import { leavesOf, mapTree } from "../../core/tree.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { Schedule } from "../schedules.ts";
import { ParameterStore, type Stored } from "../store/parameter-store.ts";
import type { Shard, Slot } from "../store/shard.ts";

/** What differs from one update to the next. */
export interface UpdateStep {
  /** Number of the update, 1 for the first. */
  readonly step: number;
  /** The rate of this update, with the group's factor. */
  readonly learningRate: number;
  /** Factor of the weight decay. */
  readonly decayScale: number;
  /** What the gradients have still to be multiplied by. */
  readonly scale: number;
}

/** Whole parameters of a shard, one after the other. */
export interface Segment {
  /** The parameters in it. */
  readonly slots: readonly Slot[];
  /** First element in the vectors. */
  readonly start: number;
  /** Element behind the last. */
  readonly end: number;
}

/** An optimizer that is compiled for the vectors of a shard. */
export interface BoundOptimizer {
  /** Moves the parameters of a segment. Their gradients are its own to overwrite. */
  update(segment: Segment, step: UpdateStep): void | Promise<void>;
  /** Lets go of what it compiled, until the next update. */
  release?(): Promise<void>;
}

/** What defines an optimizer; see `defineOptimizer`, and `elementwise` for those that look at one element at a time. */
export interface OptimizerDefinition {
  /** For checkpoints and messages. */
  readonly name: string;
  /** Names of the vectors remembered beside the parameters, all zero at first. */
  readonly slots: readonly string[];
  /** A rate, or a function of the update (0 for the first). */
  readonly learningRate: number | Schedule;
  /** Numbers that define the optimizer, for checkpoints and logs. */
  readonly settings: Readonly<Record<string, number | boolean>>;
  /** The optimizer of parameters that this one cannot train, by their shape; default: it trains all. */
  others?(shape: Shape): Optimizer | undefined;
  /** Compiles the update for the vectors `parameters`, `gradients` and those of `slots`, on the device and threads of `compile`. */
  bind(shard: Shard, compile?: CompileOptions): BoundOptimizer;
}

/**
 * An optimizer: how parameters move, given their gradients. Pass it to `fit` or `Trainer`, or call `init` and `update`
 * in a loop of your own. Make one with `adam` or another, with `elementwise`, or with `defineOptimizer`.
 */
export interface Optimizer extends OptimizerDefinition {
  /**
   * Lays a pytree of parameters out for updates of your own loop. The tensors of `state.parameters` are updated in place.
   * Throws ShapeError for a leaf that is no tensor.
   * @example
   * const optimizer = adam();
   * let state = optimizer.init(parameters);
   * const step = jit(valueAndGrad(loss), { into: [undefined, state.gradients] });
   * for (const { x, y } of batches) {
   *   const [loss, gradients] = await step(state.parameters, x, y);
   *   state = await optimizer.update(gradients, state);
   * }
   */
  init<P>(parameters: P, saved?: SavedState): OptimizerState<P>;
  /** Moves the parameters by their gradients, which are overwritten; those written into `state.gradients` are not copied. */
  update<P>(gradients: GradientsOf<P>, state: OptimizerState<P>): Promise<OptimizerState<P>>;
}

/** Gradients nested as parameters are. */
export type GradientsOf<P> = P extends Tensor ? Tensor : { readonly [K in keyof P]: GradientsOf<P[K]> };

/** What must be kept of a state to go on, beside its parameters. */
export interface SavedState {
  /** Updates made so far. */
  readonly updates: number;
  /** By `slot/path`. */
  readonly remembered: Readonly<Record<string, Tensor>>;
}

/** Parameters that one optimizer trains. */
interface Part {
  readonly optimizer: OptimizerDefinition;
  readonly store: ParameterStore;
  readonly bound: readonly { readonly segment: Segment; readonly update: BoundOptimizer }[];
}

/** Parameters under training by an optimizer, and what is remembered of them. */
export class OptimizerState<P> implements SavedState {
  /** The parameters, updated in place. */
  readonly parameters: P;
  /** Where gradients may be written, so that they need not be copied. */
  readonly gradients: P;
  /** Updates made so far. */
  updates: number;
  readonly #parts: readonly Part[];

  constructor(optimizer: OptimizerDefinition, parameters: P, saved?: SavedState) {
    const { name } = optimizer;
    const members = leavesOf(parameters).map(({ path, leaf }): readonly [string, Stored] => {
      if (!(leaf instanceof Tensor))
        throw new ShapeError(`${name}: the parameter "${path}" is a ${typeof leaf}; pass a pytree of tensors`);
      return [path, { shape: leaf.shape, value: asFloat32(leaf) }];
    });
    this.#parts = Array.from(
      groupBy(members, ([, { shape }]) => optimizer.others?.(shape) ?? optimizer),
      ([own, ofOwn]): Part => {
        const store = new ParameterStore(own.slots, new Map(Object.entries(saved?.remembered ?? {})));
        store.layOut(ofOwn);
        const bound = store.shards.map((shard) => ({
          segment: { slots: shard.slots, start: 0, end: shard.length },
          update: own.bind(shard),
        }));
        return { optimizer: own, store, bound };
      },
    );
    const gradients = new Map(
      this.#parts.flatMap(({ store }) => {
        const views = store.gradients();
        return store.members.map(([path], i) => [path, views[i]] as const);
      }),
    );
    const views = new Map(members.map(([path, { value }]) => [path, value]));
    this.parameters = mapTree(parameters, (_, path) => views.get(path)) as P;
    this.gradients = mapTree(parameters, (_, path) => gradients.get(path)) as P;
    this.updates = saved?.updates ?? 0;
  }

  get remembered(): Readonly<Record<string, Tensor>> {
    return Object.assign({}, ...this.#parts.map(({ store }) => store.memories()));
  }

  /** One update. Throws ShapeError when the gradients are not nested as the parameters are. */
  async update(gradients: GradientsOf<P>): Promise<void> {
    const own = leavesOf(this.gradients) as { path: string; leaf: Tensor }[];
    const given = leavesOf(gradients);
    for (const [i, { path, leaf: view }] of own.entries()) {
      const found = given[i];
      if (found?.path !== path || !(found.leaf instanceof Tensor) || !sameShape(found.leaf.shape, view.shape))
        throw new ShapeError(
          `the gradient of "${path}" must be a tensor ${showShape(view.shape)}, got ${found?.leaf instanceof Tensor ? `${showShape(found.leaf.shape)} for "${found.path}"` : "none"}; pass gradients nested as the parameters are`,
        );
      if (!sharesMemory(found.leaf, view)) (view.data as Float32Array).set(asFloat32(found.leaf).data);
    }
    const update = this.updates++;
    for (const { optimizer, bound } of this.#parts) {
      const learningRate = rateAt(optimizer.learningRate, update);
      for (const { segment, update: move } of bound)
        await move.update(segment, { step: update + 1, learningRate, decayScale: 1, scale: 1 });
    }
  }

  /** Lets go of what the optimizer compiled; the state is done with. */
  async release(): Promise<void> {
    for (const { bound } of this.#parts) for (const { update } of bound) await update.release?.();
  }
}

const sharesMemory = ({ data: a }: Tensor, { data: b }: Tensor): boolean =>
  a.buffer === b.buffer && a.byteOffset === b.byteOffset;

/**
 * An optimizer from its definition: how whole vectors of parameters move. Where each element moves by itself,
 * `elementwise` is shorter.
 */
export const defineOptimizer = (definition: OptimizerDefinition): Optimizer => ({
  ...definition,
  init: (parameters, saved) => new OptimizerState(definition, parameters, saved),
  async update(gradients, state) {
    await state.update(gradients);
    return state;
  },
});

/** Learning rate at an update (0 for the first). */
export const rateAt = (learningRate: number | Schedule, update: number): number =>
  typeof learningRate === "number" ? learningRate : learningRate(update);

/** The rate of an optimizer, or its schedule. */
export const learningRateType = matching<number | Schedule>(
  "a number from 0 such as 0.001, or a schedule",
  (value) => typeof value === "function" || (typeof value === "number" && value >= 0 && Number.isFinite(value)),
);

/** An optimizer as an option. */
export const optimizerType = having<Optimizer>("bind", "an optimizer such as adam()");
