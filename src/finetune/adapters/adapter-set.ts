/** The adapters of a model: several of one kind share its base, and one of them is in use. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { count, listOf, matching, objectOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { matchesPath } from "../../core/path-pattern.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import type { Shape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type Adaptation,
  type AdaptedRun,
  type AnyModule,
  type AttendedFirst,
  type Context,
  onesInit,
  zerosInit,
} from "../../nn/index.ts";
import { scalar } from "../../ops/index.ts";
import { corner, largestShape } from "./corner.ts";
import type { AdapterMethod, Place, SlotSpec } from "./method.ts";
import { inputTypesOf } from "./sites.ts";

/** What every kind of adapter takes beside its own options. */
export interface AdapterSettings {
  /** Under which it is used again; default `"default"`. */
  readonly name?: string;
  /** Parameters that are trained whole and belong to the adapter, such as a new head, as `freeze` takes them; default none. */
  readonly modulesToSave?: readonly (string | RegExp)[];
  /** Start of its random values; default 0. */
  readonly seed?: number;
  /** Fields that a file of it has beside those of its kind, such as `{ task_type: "CAUSAL_LM" }`; default none, or those of the file that it is loaded of. */
  readonly notes?: Readonly<Record<string, unknown>>;
}

export const checkSettings = optionsOf<AdapterSettings>("the adapter", {
  name: string,
  modulesToSave: listOf(
    matching<string | RegExp>("a path or a pattern", (own) => typeof own === "string" || own instanceof RegExp),
    'paths such as "classifier"',
  ),
  seed: count(0),
  notes: objectOf<Readonly<Record<string, unknown>>>('fields of a file, such as { task_type: "CAUSAL_LM" }'),
});

/** An adapter of a set. */
interface Entry<O> {
  readonly options: O;
  readonly notes: Readonly<Record<string, unknown>>;
  /** Paths of the model's own parameters that belong to it. */
  readonly saved: readonly string[];
  /** Its values by path, as they were when it was last in use. */
  values: ReadonlyMap<string, Tensor>;
}

/** A tensor that adapters have in the model. */
class Slot {
  readonly module: AnyModule;
  /** Within the module. */
  readonly name: string;
  readonly path: string;
  /** What the adapters that have it say of it, by their names. */
  readonly specs = new Map<string, SlotSpec>();

  constructor(model: AnyModule, { module, prefix }: Place, own: string) {
    this.module = module;
    this.name = [prefix, own].filter(Boolean).join(".");
    this.path = [model.modules().get(module), this.name].filter(Boolean).join(".");
  }

  get shape(): Shape {
    return largestShape(Array.from(this.specs.values(), ({ shape }) => shape));
  }

  /** The number that it is for all adapters, which the graph has as it is. */
  get constant(): number | undefined {
    const [first, ...others] = Array.from(this.specs.values(), ({ fixed }) => fixed);
    return others.every((own) => own === first) ? first : undefined;
  }

  /** With what it changes nothing. */
  async neutral(): Promise<Tensor> {
    const [spec] = this.specs.values();
    const random = new Random(keyOf(0));
    const initial = spec?.neutral === "ones" ? onesInit : zerosInit;
    if (spec?.neutral !== "initial") return new Tensor("float32", this.shape, initial(this.shape, random));
    return corner(new Tensor("float32", spec.shape, await spec.initial(random)), this.shape);
  }
}

/**
 * Adapters of one kind on one model. The base stays as it is and is frozen; the tensors of the adapter in use are parameters of the model
 * beside its own, so that training, checkpoints and exports have them. All share one graph: to change to another is to put its values in.
 */
export class AdapterSet<O = unknown, P extends Place = Place> {
  readonly model: AnyModule;
  readonly method: AdapterMethod<O, P>;
  readonly #entries = new Map<string, Entry<O>>();
  readonly #places = new Map<string, P>();
  /** Tensors by the names of places, and what the method calls them. */
  readonly #slots = new Map<string, Map<string, Slot>>();
  /** Values of the model's own parameters that adapters train too, before any did. */
  readonly #base = new Map<string, Tensor | undefined>();
  #active: string | undefined;

  constructor(model: AnyModule, method: AdapterMethod<O, P>) {
    this.model = model;
    this.method = method;
  }

  /** The names of the adapters. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The adapter in use; `undefined` where the base alone computes. */
  get active(): string | undefined {
    return this.#active;
  }

  /** The places of all adapters. */
  get places(): readonly P[] {
    return [...this.#places.values()];
  }

  /** The options of an adapter. Throws OptionError for a name that there is not. */
  optionsOf(name: string): O {
    return this.#entry(name).options;
  }

  /** What was noted of an adapter as it was added. Throws OptionError for a name that there is not. */
  notesOf(name: string): Readonly<Record<string, unknown>> {
    return this.#entry(name).notes;
  }

  /** Paths of the model's own parameters that an adapter trains. Throws OptionError for a name that there is not. */
  savedOf(name: string): readonly string[] {
    return this.#entry(name).saved;
  }

  /** The places of one adapter. Throws OptionError for a name that there is not. */
  placesOf(name: string): readonly P[] {
    this.#entry(name);
    return this.places.filter((place) => [...this.slotsAt(place).values()].some(({ specs }) => specs.has(name)));
  }

  /**
   * Adds an adapter with its first values and puts it into use; everything else is frozen. Throws OptionError for targets that match
   * nothing, and for options that the adapters of a model must have alike and do not.
   */
  async add(options: O, settings: AdapterSettings = {}): Promise<void> {
    const { name = "default", modulesToSave = [], seed = 0, notes = {} } = checkSettings(settings);
    if (this.#entries.has(name))
      throw new OptionError(`there is an adapter "${name}" already; give this one another name: { name: "${name}2" }`);
    this.#requireAlike(options);
    const { places, saved } = await withBase(this.model, () => {
      const found = this.method.places(this.model, options);
      for (const place of found) {
        const there = this.#places.get(place.name);
        if (there) this.method.requireAlike?.(place, there);
      }
      const also = this.method.alsoTrains?.(this.model, found, options) ?? [];
      const whole = modulesToSave.flatMap((pattern) => pathsOf(this.model, pattern));
      return { places: found, saved: [...also, ...whole] };
    });
    await this.detach();
    const parameters = this.model.parameters();
    const values = new Map<string, Tensor>();
    for (const path of saved) {
      if (!this.#base.has(path)) this.#base.set(path, parameters.get(path)?.value);
      const value = this.#base.get(path);
      if (value) values.set(path, value);
    }
    for (const place of places) {
      if (!this.#places.has(place.name)) this.#places.set(place.name, place);
      for (const [own, spec] of Object.entries(this.method.slots(place, options))) {
        const slot = this.#slotOf(place, own);
        slot.specs.set(name, spec);
        const data = await spec.initial(new Random(foldIn(keyOf(seed), slot.path)));
        values.set(slot.path, new Tensor("float32", spec.shape, data));
      }
    }
    this.#entries.set(name, { options, notes, saved, values });
    this.model.freeze();
    await this.attach(name);
  }

  /**
   * Puts an adapter into use, or none: then the model computes as its base does. What is compiled stays. An optimizer remembers what it
   * did for the adapter before: train another with an optimizer of its own. Throws OptionError for a name that there is not.
   */
  async use(name: string | undefined): Promise<void> {
    const entry = name === undefined ? undefined : this.#entry(name);
    this.#keep();
    this.#active = name;
    if (this.method.alwaysActs) this.#act(name !== undefined);
    for (const slot of this.#allSlots()) {
      const parameter = slot.module.own.get(slot.name);
      if (!parameter) continue;
      const spec = name === undefined ? undefined : slot.specs.get(name);
      const value = spec && entry?.values.get(slot.path);
      parameter.value = value ? corner(value, parameter.shape) : await slot.neutral();
      parameter.frozen = spec === undefined || spec.fixed !== undefined;
    }
    const parameters = this.model.parameters();
    for (const [path, base] of this.#base) {
      const parameter = parameters.get(path);
      if (!parameter) continue;
      const value = entry?.values.get(path) ?? base;
      parameter.value = value && corner(value, value.shape);
      parameter.frozen = !entry?.saved.includes(path);
    }
  }

  /** The values of an adapter by the paths of its tensors, of those that are trained. Throws OptionError for a name that there is not. */
  tensors(name: string): ReadonlyMap<string, Tensor> {
    this.#keep();
    const { values, saved } = this.#entry(name);
    const trained = new Map<string, Tensor>();
    for (const slot of this.#allSlots()) {
      const [spec, value] = [slot.specs.get(name), values.get(slot.path)];
      if (spec && value && spec.fixed === undefined) trained.set(slot.path, corner(value, spec.shape));
    }
    for (const path of saved) {
      const value = values.get(path);
      if (value) trained.set(path, value);
    }
    return trained;
  }

  /** Puts values into an adapter, such as those of a file. Throws OptionError for a path that it does not have. */
  async put(name: string, values: ReadonlyMap<string, Tensor>): Promise<void> {
    this.#keep();
    const entry = this.#entry(name);
    const known = new Set(this.tensors(name).keys());
    for (const path of values.keys())
      if (!known.has(path)) throw unknownName(`tensor of the adapter "${name}"`, path, known);
    entry.values = new Map([...entry.values, ...values]);
    if (this.#active !== name) return;
    this.#active = undefined;
    await this.use(name);
  }

  /** Makes the adapters part of the model, and puts one into use. */
  async attach(name: string | undefined): Promise<void> {
    this.#act(true);
    this.model.trace(inputTypesOf(this.model));
    await this.use(name);
  }

  /** Takes the adapters out of the model, which then is its base; `attach` puts them back. */
  async detach(): Promise<void> {
    await this.use(undefined);
    this.#act(false);
    for (const { module, name } of this.#allSlots()) module.own.delete(name);
  }

  /** Lets traces of the model have the adapters, or not. */
  #act(acts: boolean): void {
    const byModule = groupBy(this.places, ({ module }) => module);
    for (const [module, places] of byModule) {
      const at = module.adaptations.findIndex((own) => own instanceof ModuleAdaptation && own.set === this);
      if (acts && at < 0) module.adaptations.push(new ModuleAdaptation(this, places));
      if (!acts && at >= 0) module.adaptations.splice(at, 1);
    }
  }

  /** The tensors of a place, as the method calls them. */
  slotsAt({ name }: P): ReadonlyMap<string, Slot> {
    return this.#slots.get(name) ?? new Map();
  }

  #entry(name: string): Entry<O> {
    const entry = this.#entries.get(name);
    if (!entry) throw unknownName("adapter", name, this.#entries.keys());
    return entry;
  }

  #allSlots(): readonly Slot[] {
    return Array.from(this.#slots.values(), (slots) => [...slots.values()]).flat();
  }

  #slotOf(place: P, own: string): Slot {
    const slots = this.#slots.get(place.name) ?? new Map<string, Slot>();
    this.#slots.set(place.name, slots);
    const slot = slots.get(own) ?? new Slot(this.model, place, own);
    slots.set(own, slot);
    return slot;
  }

  #requireAlike(options: O): void {
    const [first] = this.#entries.values();
    const others = first ? this.method.shared(first.options) : {};
    for (const [name, value] of Object.entries(first ? this.method.shared(options) : {}))
      if (value !== others[name])
        throw new OptionError(
          `the adapters of a model share one graph: ${name} is ${String(others[name])} there and ${String(value)} here; make it alike, or add this one to another copy of the model`,
        );
  }

  /** Keeps the values of the adapter in use. */
  #keep(): void {
    const entry = this.#active === undefined ? undefined : this.#entries.get(this.#active);
    if (!entry) return;
    const parameters = this.model.parameters();
    entry.values = new Map(
      Array.from(entry.values, ([path, before]) => {
        const value = parameters.get(path)?.value ?? before;
        return [path, corner(value, value.shape)];
      }),
    );
  }
}

/** The adapters of one module, as it knows them. */
class ModuleAdaptation<O, P extends Place> implements Adaptation {
  readonly set: AdapterSet<O, P>;
  readonly places: readonly P[];

  constructor(set: AdapterSet<O, P>, places: readonly P[]) {
    this.set = set;
    this.places = places;
  }

  apply(outputs: readonly Value[], run: AdaptedRun): readonly Value[] {
    const { method, names } = this.set;
    const placed = this.places.map((place) => ({ place, slots: this.#slots(place, run.context) }));
    return method.apply?.(outputs, run, placed, this.set.optionsOf(names[0] ?? "")) ?? outputs;
  }

  attendedFirst(context: Context): readonly AttendedFirst[] {
    const { method } = this.set;
    return this.places.flatMap((place) => method.attendedFirst?.(place, this.#slots(place, context)) ?? []);
  }

  get firstPosition(): number {
    const { method, names } = this.set;
    return method.firstPosition?.(this.set.optionsOf(names[0] ?? "")) ?? 0;
  }

  #slots(place: P, context: Context): Readonly<Record<string, Value>> {
    return Object.fromEntries(Array.from(this.set.slotsAt(place), ([own, slot]) => [own, valueIn(context, slot)]));
  }
}

/** The sets of adapters that are attached to a model, each once. */
export function adapterSets(model: AnyModule): readonly AdapterSet[] {
  const found = new Set<AdapterSet>();
  for (const module of model.modules().keys())
    for (const own of module.adaptations) if (own instanceof ModuleAdaptation) found.add(own.set as AdapterSet);
  return [...found];
}

/** Does something with a model while its adapters are out of it, which come back as they were. */
export async function withBase<T>(model: AnyModule, action: () => T): Promise<T> {
  const sets = adapterSets(model).map((set) => ({ set, active: set.active }));
  for (const { set } of sets) await set.detach();
  try {
    return action();
  } finally {
    for (const { set, active } of sets) await set.attach(active);
  }
}

function valueIn(context: Context, { module, name, shape, specs, constant }: Slot): Value {
  if (constant !== undefined) return scalar(constant);
  const isFixed = [...specs.values()].some((spec) => spec.fixed !== undefined);
  const spec = { shape, initializer: zerosInit };
  return isFixed ? context.buffer(module, name, spec) : context.parameter(module, name, spec);
}

/** The parameters of a model that a pattern means. Throws OptionError where it means none. */
function pathsOf(model: AnyModule, pattern: string | RegExp): readonly string[] {
  const found = [...model.parameters()].flatMap(([path, { isBuffer }]) =>
    !isBuffer && matchesPath(path, pattern) ? [path] : [],
  );
  if (found.length === 0)
    throw unknownName("parameter to save with the adapter", String(pattern), model.parameters().keys());
  return found;
}
