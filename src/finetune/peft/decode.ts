/** Adapters of PEFT's files beside a model. */
import { isFloat } from "../../core/dtype.ts";
import { FileError, OptionError } from "../../core/errors.ts";
import { functionOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, sameShape, showShape } from "../../core/shape.ts";
import { allFinite, asFloat32, copyOf, Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { AnyModule } from "../../nn/index.ts";
import { decodeSafetensors } from "../../storage/safetensors.ts";
import { type AdapterSet, adapterSets, withBase } from "../adapters/adapter-set.ts";
import type { WeightSite } from "../adapters/sites.ts";
import type { PeftConfig } from "./fields.ts";
import { type AnyPeftKind, isOfInputs, type JoinedTensor, kindOfConfig, shownNames } from "./kinds.ts";
import { layersOf, modulesWithParameters, pathOfSite } from "./model-layers.ts";
import { type PeftName, peftName, type Renaming, renamingOf } from "./names.ts";
import { exactly, savedModules, type TargetFields } from "./targets.ts";

/** Options of `decodePeft` and `loadAdapter`. */
export interface DecodePeftOptions {
  /** Under which the adapter is used again; default `"default"`. */
  readonly name?: string;
  /** Is told which fields of the config are not known and changed nothing; default they are passed over. */
  readonly report?: (note: string) => void;
}

export const checkDecode = optionsOf<DecodePeftOptions>("decodePeft", {
  name: string,
  report: functionOf("(note) => void"),
});

/** What of a model a config and its tensors mean. */
interface Plan {
  readonly kind: AnyPeftKind;
  readonly options: unknown;
  /** Paths of the model's own parameters that are saved with the adapter, but for biases. */
  readonly saved: readonly string[];
  readonly values: ReadonlyMap<string, Tensor>;
}

/**
 * Adds an adapter of PEFT's files to the model that it was trained on, and puts it into use: LoRA with DoRA, (IA)³, a prompt or a prefix. Half floats
 * become float32; names may have the prefix of another class of the same base. Throws, with the model as it was, OptionError for fields that
 * are wrong or change the computation in a way that is not known, FileError for weights that are damaged, missing, or of another base.
 * @example
 * const adapters = await decodePeft(model, JSON.parse(configText), weightBytes);
 */
export async function decodePeft(
  model: AnyModule,
  config: PeftConfig,
  weights: Uint8Array,
  options: DecodePeftOptions = {},
): Promise<AdapterSet> {
  const { name = "default", report = () => undefined } = checkDecode(options);
  if (!isPlainObject(config))
    throw new OptionError("adapter_config.json: it is no object of fields; pass what JSON.parse gives of the file");
  const kind = kindOfConfig(config);
  const { tensors } = decodeSafetensors(weights);
  const others = optionsThere(model, kind);
  const plan = await withBase(model, () => planOf(model, kind, { config, tensors, others, report }));
  const settings = { name, modulesToSave: plan.saved.map(exactly), notes: config };
  const set = await kind.add(model, plan.options, settings);
  await set.put(name, plan.values);
  return set as unknown as AdapterSet;
}

/** What two files hold, and what the model has already. */
interface Given {
  readonly config: PeftConfig;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** The options of its adapters of this kind. */
  readonly others: unknown;
  report(note: string): void;
}

/** The options of the adapters of a kind that a model has. */
function optionsThere(model: AnyModule, { method }: AnyPeftKind): unknown {
  const set = adapterSets(model).find((own) => own.method === (method as unknown));
  const [first] = set?.names ?? [];
  return first === undefined ? undefined : set?.optionsOf(first);
}

/** Holds a config, its tensors and a model against each other, before anything of the model is changed. */
function planOf(model: AnyModule, kind: AnyPeftKind, { config, tensors, others, report }: Given): Plan {
  const fields = kind.read(config, report);
  const names = Object.keys(tensors).map((key) => peftName(key, kind.prefix));
  const sites = layersOf(model);
  const modules = modulesWithParameters(model);
  const known = new Set([...sites.map((site) => pathOfSite(model, site)), ...modules]);
  const beside = names.filter(({ isAdapter, module }) => isAdapter && module !== "");
  const renaming = renamingOf([...new Set(beside.map(({ module }) => module))], known);
  const base = baseOf(fields);
  const stray = beside.find(({ module }) => renaming.toModel(module) === undefined);
  if (stray)
    throw new FileError(
      `"${stray.key}" ${showShape((tensors[stray.key] as Tensor).shape)} stands beside "${stray.module}", which the model does not have; ${base}`,
    );
  const layers = sites.map((site) => ({ name: renaming.toPeft(pathOfSite(model, site)), site }));
  const stored = new Set(beside.map(({ module }) => renaming.toPeft(renaming.toModel(module) ?? module)));
  const options = kind.options(fields, { layers, others, stored, report });
  const places = placesOf(model, kind, options, fields, base);
  const wanted = tensorsOf(model, kind, places, options);
  if (kind.joined) {
    const own = places.map((site) => ({ name: pathOfSite(model, site), site }));
    requireSizes(config, kind.fields(options, own), base);
  }

  const whole = savedModules(fields.modules_to_save, modules.map(renaming.toPeft));
  const saved = [...model.parameters()].flatMap(([path, { isBuffer }]) =>
    !isBuffer && whole.some((module) => renaming.toPeft(path).startsWith(`${module}.`)) ? [path] : [],
  );
  const trained = new Set([...saved, ...(kind.method.alsoTrains?.(model, places, options) ?? [])]);
  const parameters = model.parameters();
  const values = new Map<string, Tensor>();
  for (const name of names) {
    const tensor = floatOf(name.key, tensors[name.key] as Tensor);
    if (kind.joined && name.key.endsWith(kind.joined.name)) {
      for (const [path, part] of partsOf(kind.joined, { key: name.key, tensor }, wanted, base)) values.set(path, part);
      continue;
    }
    const path = pathHere(name, renaming, wanted);
    const target = wanted.get(path);
    const parameter = parameters.get(path);
    if (target) values.set(path, fitted(name.key, tensor, target, base));
    else if (parameter && trained.has(path))
      values.set(path, fitted(name.key, tensor, { shape: parameter.shape }, base));
    else if (name.isAdapter || !parameter) throw unexpected(name, tensor, fields, base);
    else requireBase(name.key, tensor, parameter.value, parameter.shape, base);
  }
  for (const path of [...wanted.keys(), ...trained])
    if (!values.has(path))
      throw new FileError(
        `there is no tensor for "${path}" ${showShape((wanted.get(path) ?? parameters.get(path))?.shape ?? [])}, which adapter_config.json asks for; the two files belong to different adapters, or the file was cut when it was written`,
      );
  return { kind, options, saved, values };
}

const baseOf = ({ base_model_name_or_path: base }: { readonly base_model_name_or_path?: string | null | undefined }) =>
  `the adapter was trained on ${base ? `"${base}"` : "a base that its config does not name"}: load it into that model`;

/** The places that options choose. Throws where fields choose none. */
function placesOf(
  model: AnyModule,
  kind: AnyPeftKind,
  options: unknown,
  { target_modules: targets }: TargetFields,
  base: string,
): readonly WeightSite[] {
  const {
    targets: plain = [],
    feedForward = [],
    tokens,
  } = options as { targets?: readonly RegExp[]; feedForward?: readonly RegExp[]; tokens?: number };
  if (tokens === undefined && plain.length + feedForward.length === 0)
    throw new OptionError(
      `adapter_config.json: target_modules is ${shownNames(targets)}, which names no layer of the model; ${base}`,
    );
  return kind.method.places(model, options);
}

/** A tensor that an adapter has. */
interface Wanted {
  readonly shape: Shape;
  /** Its name at the layer. */
  readonly own?: string;
  readonly site?: WeightSite;
}

function tensorsOf(
  model: AnyModule,
  kind: AnyPeftKind,
  places: readonly WeightSite[],
  options: unknown,
): ReadonlyMap<string, Wanted> {
  return new Map(
    places.flatMap((site) =>
      Object.entries(kind.method.slots(site, options)).flatMap(([own, { shape, fixed }]) =>
        fixed !== undefined
          ? []
          : [[[pathOfSite(model, site), own].filter(Boolean).join("."), { shape, own, site }] as const],
      ),
    ),
  );
}

/** The tensors that a file has in one, by path. Throws FileError for one of another shape. */
function partsOf(
  joined: JoinedTensor,
  { key, tensor }: { readonly key: string; readonly tensor: Tensor<"float32"> },
  wanted: ReadonlyMap<string, Wanted>,
  base: string,
): readonly (readonly [path: string, part: Tensor])[] {
  const shapes = Array.from(wanted.values(), ({ shape }) => shape);
  const expected = joined.shape(shapes);
  if (!sameShape(tensor.shape, expected))
    throw new FileError(`"${key}" is ${showShape(tensor.shape)}, expected ${showShape(expected)}; ${base}`);
  const parts = joined.split(tensor, shapes);
  return Array.from(wanted.keys(), (path, i) => [path, parts[i] as Tensor] as const);
}

/** Throws OptionError where fields give other sizes than the model has, and a tensor that joins all would be taken apart wrongly. */
function requireSizes(config: PeftConfig, own: PeftConfig, base: string): void {
  for (const field of ["num_layers", "num_attention_heads", "token_dim"])
    if ((config[field] ?? own[field]) !== own[field])
      throw new OptionError(
        `adapter_config.json: ${field} is ${String(config[field])}, and that of the model is ${String(own[field])}; ${base}`,
      );
}

/** The path of a tensor here. A prompt stands beside the embedding, which its file does not name. */
function pathHere({ module, own }: PeftName, { toModel }: Renaming, wanted: ReadonlyMap<string, Wanted>): string {
  const [only = ""] = wanted.keys();
  if (own === "prompt_embeddings" && module === "" && only.endsWith(own)) return only;
  return [toModel(module) ?? module, own].filter(Boolean).join(".");
}

/** A tensor as float32. Throws FileError for one of other numbers, and for one that holds NaN. */
function floatOf(key: string, tensor: Tensor): Tensor<"float32"> {
  if (!isFloat(tensor.dtype))
    throw new FileError(
      `"${key}" is ${tensor.dtype}, expected float32, float16 or bfloat16; save the adapter with PEFT again, unpacked`,
    );
  const value = tensor.dtype === "float32" ? (copyOf(tensor) as Tensor<"float32">) : asFloat32(tensor);
  if (!allFinite(value))
    throw new FileError(`"${key}" holds numbers that are not finite; the file is damaged, or its training diverged`);
  return value;
}

/** A tensor in the shape that it has here. Throws FileError where it is of another rank or of another base. */
function fitted(key: string, tensor: Tensor<"float32">, { shape, own, site }: Wanted, base: string): Tensor {
  if (own === "ia3_l" && site) requireSide(key, tensor.shape, site);
  const isVector = own === "ia3_l" || own === "lora_magnitude_vector";
  if (sameShape(tensor.shape, shape)) return tensor;
  const long = tensor.shape.filter((extent) => extent !== 1);
  if (
    isVector &&
    sameShape(
      long,
      shape.filter((extent) => extent !== 1),
    )
  )
    return new Tensor("float32", shape, tensor.data);
  const problem = `"${key}" is ${showShape(tensor.shape)}, expected ${showShape(shape)}`;
  const rankAxis = own && /A/.test(own) ? 0 : 1;
  const differs = shape.flatMap((extent, axis) => (extent === tensor.shape[axis] ? [] : [axis]));
  if (
    own?.startsWith("lora_") &&
    !isVector &&
    tensor.shape.length === shape.length &&
    differs.join() === String(rankAxis)
  )
    throw new FileError(
      `${problem}: its rank is ${tensor.shape[rankAxis]}, and that of adapter_config.json (r, rank_pattern) ${shape[rankAxis]}; the two files belong to different adapters, or r is wrong`,
    );
  throw new FileError(`${problem}; ${base}`);
}

/** Throws FileError where factors of inputs, [1, n], stand at a layer whose outputs are multiplied, [n, 1], or the reverse. */
function requireSide(key: string, shape: Shape, site: WeightSite): void {
  const [first = 1, second = 1] = shape;
  if (shape.length !== 2 || site.use.weight.rank > 2 || first === second) return;
  const ofInputs = isOfInputs(site);
  if ((first === 1) === ofInputs || (first !== 1 && second !== 1)) return;
  throw new FileError(
    `"${key}" ${showShape(shape)} has factors of ${ofInputs ? "outputs" : "inputs"}, and feedforward_modules says that "${site.name}" has its ${ofInputs ? "inputs" : "outputs"} multiplied; the two files belong to different adapters`,
  );
}

function unexpected(
  { key, module, isAdapter }: PeftName,
  { shape }: Tensor,
  fields: TargetFields,
  base: string,
): FileError {
  const what = `"${key}" ${showShape(shape)}`;
  return isAdapter
    ? new FileError(
        `${what} stands beside "${module}", and adapter_config.json asks for no such tensor there (target_modules ${shownNames(fields.target_modules)}); the two files belong to different adapters`,
      )
    : new FileError(`${what} is no tensor of the model; ${base}`);
}

/** A weight of the base that came along, as PEFT does with embeddings. Throws FileError where the model has another. */
function requireBase(key: string, tensor: Tensor, value: Tensor | undefined, shape: Shape, base: string): void {
  if (!sameShape(tensor.shape, shape))
    throw new FileError(`"${key}" is ${showShape(tensor.shape)}, expected ${showShape(shape)}; ${base}`);
  const own = value?.data ?? [];
  let [apart, largest] = [0, 0];
  for (let i = 0; i < own.length; i++) {
    apart = Math.max(apart, Math.abs(Number(own[i]) - Number(tensor.data[i])));
    largest = Math.max(largest, Math.abs(Number(own[i])));
  }
  // A base that is rounded to bfloat16 is the same: 8 bits.
  if (apart > largest / 128)
    throw new FileError(`"${key}" holds other numbers than the model, and modules_to_save does not name it; ${base}`);
}
