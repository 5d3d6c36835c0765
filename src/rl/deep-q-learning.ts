/** Deep Q-learning (Mnih et al. 2015): batches made of what an agent meets while it acts by the network being trained. */
import { count, flag, functionOf, having, share } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { foldIn, type Key, keyType, Random } from "../core/random.ts";
import { copyOf, Tensor } from "../core/tensor.ts";
import { Dataset } from "../data/pipeline/dataset.ts";
import type { Value } from "../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../jit/compile.ts";
import { jit } from "../jit/jit.ts";
import { functional } from "../nn/functional.ts";
import type { Module } from "../nn/module.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import { predictor } from "../train/predict.ts";
import type { Schedule } from "../train/schedules.ts";
import type { Environment } from "./environment.ts";
import { ReplayMemory, type SavedMemory } from "./replay-memory.ts";

/** Options of `deepQLearning`. */
export interface DeepQLearningOptions {
  /** What the agents act in. */
  readonly environment: Environment;
  /** From observations x [N, …] to the values of all actions [N, actions]; with `action` [N] beside them, to theirs [N]. */
  readonly model: Module<{ readonly x: Value; readonly action?: Value | undefined }>;
  /** Transitions in a batch. */
  readonly batchSize: number;
  /** Batches in an epoch. */
  readonly updates: number;
  /** Decides random actions, and which transitions are drawn. */
  readonly key: Key;
  /** Chance of a random action, by the number of the update. */
  readonly epsilon: Schedule;
  /** How it is learned; all have defaults. */
  readonly settings?: DeepQLearningSettings;
}

/** Settings of deep Q-learning that have defaults. */
export interface DeepQLearningSettings {
  /** What a reward is worth one step later; default 0.99. */
  readonly discount?: number;
  /** The network trained chooses the next action, the target network says its value (van Hasselt et al. 2016); default false. */
  readonly double?: boolean;
  /** Updates from one copy of the weights into the target network to the next; default 100. */
  readonly copyEvery?: number;
  /** Episodes under way at a time, of which each takes one step an update; default 16. */
  readonly agents?: number;
  /** Transitions kept; default 10,000. */
  readonly capacity?: number;
  /** Transitions met before the first update; default 1,000. */
  readonly warmup?: number;
  /** Default one thread: the networks are small and run often. */
  readonly compile?: CompileOptions;
}

const checkOptions = optionsOf<DeepQLearningOptions>("deepQLearning", {
  environment: required(having("observe", "an environment such as mazeEnvironment(maze, …)")),
  model: required(having("apply", "a module")),
  batchSize: required(count()),
  updates: required(count()),
  key: required(keyType),
  epsilon: required(functionOf("(update) => chance")),
  settings: optionsOf<DeepQLearningSettings>("settings", {
    discount: share,
    double: flag,
    copyEvery: count(),
    agents: count(),
    capacity: count(),
    warmup: count(0),
    compile: checkCompile.type,
  }).type,
});

/** An episode under way. */
interface Agent {
  readonly state: number;
  /** Steps since its start. */
  readonly steps: number;
}

/** What a checkpoint keeps of an agent's life, beside the network. */
interface Saved {
  readonly memory: SavedMemory;
  readonly agents: readonly Agent[];
  /** Weights of the target network by path. */
  readonly target: Readonly<Record<string, Float32Array>>;
}

/** What was observed, what was done, and what it was worth, of N transitions. */
export type Transitions = { readonly x: Tensor; readonly y: Tensor; readonly action: Tensor };

/** From observations [N, …] to the values of all actions [N, actions]. */
type Judge = (x: Tensor) => Promise<Tensor>;

/** Batches to train on, and a callback that keeps memory, episodes and target network in checkpoints. */
export interface DeepQLearning {
  /** Batches to train on; an epoch has as many as `updates` says. */
  readonly train: Dataset<Transitions>;
  /** Pass it to `fit`: it keeps memory, episodes and target network in checkpoints. */
  readonly callback: Callback;
}

/**
 * The dataset of an agent that learns: before each batch every agent takes a step, then transitions are drawn from memory,
 * x observations, `action` what was done, y = r + γ max Q'(s', ·) by the target network Q', or r where the episode ended.
 * Its batches depend on the weights at the time and are to be read in order, once, while the model is trained; with
 * `callback`, a run that was stopped goes on bit for bit.
 * @example
 * const { train, callback } = deepQLearning({ environment, model, batchSize: 64, updates: 500, key, epsilon: () => 0.1 });
 * await fit(model, train, { loss: huber(), optimizer: adam(), epochs: 20, callbacks: [callback] });
 */
export function deepQLearning(options: DeepQLearningOptions): DeepQLearning {
  const { updates } = checkOptions(options);
  const learner = new Learner(options);
  const train = new Dataset<Transitions>({
    length: updates,
    async *epoch(epoch, skip) {
      for (let update = skip; update < updates; update++) yield await learner.batch(epoch * updates + update);
    },
  });
  const callback: Callback = {
    name: "deepQLearning",
    // The agents ask the network between steps, wherever it is trained.
    onBatch: ({ trainer }) => trainer.sync(),
    state: () => learner.save(),
    restore: (saved) => learner.restore(saved as Saved | undefined),
  };
  return { train, callback };
}

class Learner {
  readonly #options: DeepQLearningOptions;
  readonly #settings: Required<DeepQLearningSettings>;
  #memory: ReplayMemory;
  #agents: Agent[] = [];
  /** Weights of the target network by path. */
  #target: Readonly<Record<string, Tensor>> = {};
  #networks: { readonly act: Judge; readonly target: Judge } | undefined;

  constructor(options: DeepQLearningOptions) {
    this.#options = options;
    this.#settings = { ...defaults, ...options.settings };
    this.#memory = new ReplayMemory(this.#settings.capacity);
  }

  async batch(update: number): Promise<Transitions> {
    const { environment, batchSize, key } = this.#options;
    const random = new Random(foldIn(key, "update", update));
    this.#networks ??= this.#begin();
    const { act, target } = this.#networks;
    if (Object.keys(this.#target).length === 0 || update % this.#settings.copyEvery === 0) this.#copyWeights();
    do await this.#act(update, act, random);
    while (this.#memory.size < this.#settings.warmup);
    const drawn = this.#memory.sample(batchSize, random);
    const values = await this.#nextValues(environment.observe(drawn.map(({ next }) => next)), act, target);
    const targets = drawn.map(
      ({ reward, done }, i) => reward + (done ? 0 : this.#settings.discount * (values[i] ?? 0)),
    );
    return {
      x: environment.observe(drawn.map(({ state }) => state)),
      y: new Tensor("float32", [batchSize], Float32Array.from(targets)),
      action: new Tensor(
        "int32",
        [batchSize],
        Int32Array.from(drawn, ({ action }) => action),
      ),
    };
  }

  /** One step of every agent: the best action, or with chance ε any. */
  async #act(update: number, act: Judge, random: Random): Promise<void> {
    const { environment, epsilon } = this.#options;
    const { actions, patience, starts } = environment;
    const begin = (): Agent => ({ state: starts[random.integer(starts.length)] ?? 0, steps: 0 });
    while (this.#agents.length < this.#settings.agents) this.#agents.push(begin());
    const values = await act(environment.observe(this.#agents.map(({ state }) => state)));
    const chance = epsilon(update);
    this.#agents = this.#agents.map(({ state, steps }, i) => {
      const action = random.uniform() < chance ? random.integer(actions) : bestOf(values, i);
      const transition = environment.step(state, action);
      this.#memory.add(transition);
      return transition.done || steps + 1 >= patience ? begin() : { state: transition.next, steps: steps + 1 };
    });
  }

  /** What the states after the transitions are worth. */
  async #nextValues(x: Tensor, act: Judge, target: Judge): Promise<readonly number[]> {
    const values = await target(x);
    const chosen = this.#settings.double ? await act(x) : values;
    const { actions } = this.#options.environment;
    return Array.from({ length: x.shape[0] ?? 0 }, (_, row) =>
      Number(values.data[row * actions + bestOf(chosen, row)]),
    );
  }

  #copyWeights(): void {
    this.#target = Object.fromEntries(
      [...this.#options.model.parameters()].flatMap(([path, { value }]) =>
        value ? [[path, copyOf(value)] as const] : [],
      ),
    );
  }

  #begin() {
    const { environment, model, key } = this.#options;
    const { compile } = this.#settings;
    const x = environment.observe([0]);
    model.trace({ x });
    // Where nobody has given the model its first weights yet.
    model.initialize(key);
    const { parameters, apply } = functional(model, { x });
    const isParameter = (path: string) => Object.hasOwn(parameters, path);
    const judge = jit((weights: Readonly<Record<string, Value>>, observed: Value) => {
      const part = (wanted: boolean) =>
        Object.fromEntries(Object.entries(weights).filter(([path]) => isParameter(path) === wanted));
      return apply(part(true), { x: observed }, { state: part(false) });
    }, compile);
    const ask = predictor(model, { compile });
    return {
      act: (observed: Tensor) => ask({ x: observed }),
      target: (observed: Tensor) => judge(this.#target, observed),
    };
  }

  save(): Saved {
    const target = Object.entries(this.#target).map(([path, { data }]) => [path, data] as const);
    return { memory: this.#memory.save(), agents: this.#agents, target: Object.fromEntries(target) as Saved["target"] };
  }

  restore(saved: Saved | undefined): void {
    this.#memory = new ReplayMemory(this.#settings.capacity, saved?.memory);
    this.#agents = [...(saved?.agents ?? [])];
    this.#target = Object.fromEntries(
      [...this.#options.model.parameters()].flatMap(([path, parameter]) => {
        const data = saved?.target[path];
        return data ? [[path, new Tensor("float32", parameter.shape, data.slice())] as const] : [];
      }),
    );
  }
}

const defaults: Required<DeepQLearningSettings> = {
  discount: 0.99,
  double: false,
  copyEvery: 100,
  agents: 16,
  capacity: 10_000,
  warmup: 1000,
  compile: { threads: 1 },
};

/** The place of the largest number in a row of values [N, actions]; the first of equals. */
export function bestOf({ data, shape: [, actions = 0] }: Tensor, row: number): number {
  let best = 0;
  for (let action = 1; action < actions; action++)
    if (Number(data[row * actions + action]) > Number(data[row * actions + best])) best = action;
  return best;
}
