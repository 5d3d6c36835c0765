/** Adapters on one base that requests choose from: their values are inputs of the steps, so that all share what is compiled. */
import { OptionError, unknownName } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Variants } from "../../decode/step.ts";
import { type AdapterSet, adapterSets } from "../../finetune/adapters/adapter-set.ts";
import { loadAdapter } from "../../finetune/peft/adapter-folder.node.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";

/** An adapter, and where it lies. */
export interface AdapterPath {
  readonly name: string;
  /** A folder in PEFT's layout. */
  readonly path: string;
}

/**
 * Adds adapters to a model, which computes as its base does afterwards. Throws OptionError for kinds that change more than values, and what
 * `loadAdapter` throws.
 */
export async function openAdapters(model: AnyModule, adapters: readonly AdapterPath[]): Promise<Variants> {
  for (const { name, path } of adapters) await loadAdapter(model, path, { name });
  const sets = adapterSets(model);
  const shaping = sets.find(({ method }) => method.alwaysActs);
  if (shaping)
    throw new OptionError(
      `the adapter ${shaping.names.join(", ")} changes more than values (prompts and prefixes do), so that it shares no graph with its base; serve LoRA or (IA)³, or merge it into a model of its own`,
    );
  const values = new Map<string | undefined, ReadonlyMap<Parameter, Tensor | undefined>>();
  for (const name of [...adapters.map((own) => own.name), undefined]) {
    await use(sets, name);
    values.set(name, new Map([...model.parameters().values()].map((own) => [own, own.value])));
  }
  const base = values.get(undefined) ?? new Map<Parameter, Tensor | undefined>();
  const differs = (parameter: Parameter) =>
    [...values.values()].some((own) => own.get(parameter) !== base.get(parameter));
  return {
    parameters: new Set([...base.keys()].filter(differs)),
    valueOf(parameter, variant) {
      const own = values.get(variant);
      if (!own)
        throw unknownName(
          "adapter",
          String(variant),
          adapters.map(({ name }) => name),
        );
      return own.get(parameter) as Tensor;
    },
  };
}

/** Puts an adapter into use in the set that has it, and none in the others. */
async function use(sets: readonly AdapterSet[], name: string | undefined): Promise<void> {
  for (const set of sets) await set.use(name !== undefined && set.names.includes(name) ? name : undefined);
}
