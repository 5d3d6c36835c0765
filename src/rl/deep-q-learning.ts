/** Deep Q-learning (Mnih et al. 2015): batches made of what an agent meets while it acts by the network being trained. */
import { foldIn, type Key, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { type Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { CompileOptions } from "../jit/compile.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import { type LivePredictor, livePredictor } from "../train/evaluate.ts";
import type { Schedule } from "../train/schedules.ts";
import type { Environment } from "./environment.ts";
import { ReplayMemory, type SavedMemory } from "./replay-memory.ts";

export interface DeepQLearningOptions {
  readonly environment: Environment;
  /** From observations [N, …] to the values of all actions [N, actions]; with an extra input `action` [N], to theirs [N]. */
  readonly model: Module;
  readonly batchSize: number;
  /** Batches in an epoch. */
  readonly updates: number;
  readonly key: Key;
  /** Chance of a random action, by the number of the update. */
  readonly epsilon: Schedule;
  readonly settings?: DeepQLearningSettings;
}

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

/** Batches to train on, and a callback that keeps memory, episodes and target network in checkpoints. */
export interface DeepQLearning {
  readonly train: Dataset<Batch>;
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
  const learner = new Learner(options);
  const { updates } = options;
  const train = new Dataset<Batch>({
    length: updates,
    async *epoch(epoch, skip) {
      for (let update = skip; update < updates; update++) yield await learner.batch(epoch * updates + update);
    },
  });
  const callback: Callback = {
    name: "deepQLearning",
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
  #target = new Map<Parameter, Tensor>();
  #networks: Promise<{ readonly act: LivePredictor; readonly judge: LivePredictor }> | undefined;

  constructor(options: DeepQLearningOptions) {
    this.#options = options;
    this.#settings = { ...defaults, ...options.settings };
    this.#memory = new ReplayMemory(this.#settings.capacity);
  }

  async batch(update: number): Promise<Batch & { readonly action: Tensor }> {
    const { environment, batchSize, key } = this.#options;
    const random = new Random(foldIn(key, "update", update));
    this.#networks ??= this.#compile();
    const { act, judge } = await this.#networks;
    if (this.#target.size === 0 || update % this.#settings.copyEvery === 0) this.#copyWeights();
    do await this.#act(update, act, random);
    while (this.#memory.size < this.#settings.warmup);
    const drawn = this.#memory.sample(batchSize, random);
    const values = await this.#nextValues(environment.observe(drawn.map(({ next }) => next)), judge);
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
  async #act(update: number, act: LivePredictor, random: Random): Promise<void> {
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
  async #nextValues(x: Tensor, judge: LivePredictor): Promise<readonly number[]> {
    const values = await judge(x, this.#target);
    const chosen = this.#settings.double ? await judge(x) : values;
    const { actions } = this.#options.environment;
    return Array.from({ length: x.shape[0] ?? 0 }, (_, row) =>
      Number(values.data[row * actions + bestOf(chosen, row)]),
    );
  }

  #copyWeights(): void {
    for (const parameter of this.#options.model.parameters().values())
      if (parameter.value)
        this.#target.set(
          parameter,
          new Tensor("float32", parameter.shape, Float32Array.from(parameter.value.data as Float32Array)),
        );
  }

  async #compile() {
    const { environment, model, batchSize, key } = this.#options;
    const { agents, compile } = this.#settings;
    const { dtype, shape } = environment.observe([0]);
    const predictorOf = (count: number) => livePredictor(model, { dtype, shape: [count, ...shape.slice(1)] }, compile);
    const [act, judge] = [await predictorOf(agents), await predictorOf(batchSize)];
    // Where nobody has given the model its first weights yet.
    model.initialize(key);
    return { act, judge };
  }

  save(): Saved {
    const paths = new Map([...this.#options.model.parameters()].map(([path, parameter]) => [parameter, path]));
    const target = Array.from(this.#target, ([parameter, { data }]) => [paths.get(parameter), data] as const);
    return { memory: this.#memory.save(), agents: this.#agents, target: Object.fromEntries(target) };
  }

  restore(saved: Saved | undefined): void {
    this.#memory = new ReplayMemory(this.#settings.capacity, saved?.memory);
    this.#agents = [...(saved?.agents ?? [])];
    this.#target = new Map(
      [...this.#options.model.parameters()].flatMap(([path, parameter]) => {
        const data = saved?.target[path];
        return data ? [[parameter, new Tensor("float32", parameter.shape, data.slice())] as const] : [];
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
