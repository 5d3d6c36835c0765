/** Where the last hidden states of a pretrained model of tokens are. */
import type { AnyModule } from "../../nn/index.ts";
import { inputTypesOf } from "../adapters/sites.ts";
import { blockGroups, layerGroups } from "../freezing/layer-groups.ts";
import { featureLayer } from "./feature-layer.ts";

/**
 * The layer that gives the last hidden states, [N, T, W], for `withHead(model, head, { at, pooling })`: the part of the model that holds its
 * blocks, such as `"bert"` of a BertForMaskedLM or `"model"` of a LlamaForCausalLM. What a head computes before its scores comes
 * after it. Where no blocks show it, that of `featureLayer`; `undefined` for a model that gives states itself. Throws OptionError for a
 * model that was not traced.
 * @example withHead(bert, dense(9), { at: stateLayer(bert), pooling: "none" }); // scores of each token
 */
export function stateLayer(model: AnyModule): string | undefined {
  const features = featureLayer(model);
  const last = blockGroups(layerGroups(model)).at(-1)?.name;
  if (features === undefined || last === undefined) return features;
  const { records } = model.trace(inputTypesOf(model)).context;
  const [holding] = records
    .filter(({ path }) => path !== "" && last.startsWith(`${path}.`))
    .sort((a, b) => a.path.length - b.path.length);
  const states = holding?.outputs[0];
  if (states?.rank !== 3) return features;
  return records.findLast(({ outputs }) => outputs.length === 1 && outputs[0] === states)?.path ?? features;
}
