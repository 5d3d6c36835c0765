/** Adding adapters to models. */
import type { AnyModule } from "../../nn/index.ts";
import { AdapterSet, type AdapterSettings, adapterSets } from "./adapter-set.ts";
import type { AdapterMethod, Place } from "./method.ts";

/** Adds an adapter to those of its kind that a model has, and returns them all. */
export async function addTo<O, P extends Place>(
  model: AnyModule,
  method: AdapterMethod<O, P>,
  options: O,
  settings: AdapterSettings,
): Promise<AdapterSet<O, P>> {
  const known = adapterSets(model).find((own) => own.method === (method as unknown));
  const set = (known as AdapterSet<O, P> | undefined) ?? new AdapterSet(model, method);
  await set.add(options, settings);
  return set;
}
