/** Models from Hugging Face's config.json: its fields, with the library's defaults, as modules of ours. */
import { OptionError, unknownName } from "../core/errors.ts";
import { isPlainObject } from "../core/tree.ts";
import { shown } from "./families/config-fields.ts";
import {
  gpt2Family,
  llamaFamily,
  mistralFamily,
  mt5Family,
  qwen2Family,
  t5Family,
} from "./families/decoder-families.ts";
import {
  albertFamily,
  bertFamily,
  camembertFamily,
  distilbertFamily,
  robertaFamily,
  vitFamily,
  xlmRobertaFamily,
} from "./families/encoder-families.ts";
import type { ConfiguredModel } from "./families/family.ts";

const families = new Map(
  [
    bertFamily,
    robertaFamily,
    xlmRobertaFamily,
    camembertFamily,
    distilbertFamily,
    albertFamily,
    gpt2Family,
    t5Family,
    mt5Family,
    llamaFamily,
    mistralFamily,
    qwen2Family,
    vitFamily,
  ].map((family) => [family.type, family]),
);

/**
 * The model of a parsed config.json: `model_type` names the family, the first of `architectures` the class, default the
 * model without a head. Throws OptionError for a family or class that is not known, and for fields that are missing or
 * wrong.
 * @example
 * const { build, inputs } = modelFromConfig(JSON.parse(readFileSync("bert-base-uncased/config.json", "utf8")));
 * console.log(summarize(build(), inputs).parameters);
 */
export function modelFromConfig(config: unknown): ConfiguredModel {
  if (!isPlainObject(config))
    throw new OptionError(`a config is ${shown(config)}, expected the object that a config.json holds; parse the file`);
  const type = config["model_type"];
  if (typeof type !== "string")
    throw new OptionError(
      `config.json: model_type is ${shown(type)}, expected one of ${[...families.keys()].join(", ")}; name the model's family`,
    );
  const family = families.get(type);
  if (!family) throw unknownName("model_type", type, families.keys());
  const [name = family.names[0] as string] = namesOf(config["architectures"]);
  if (!family.names.includes(name)) throw unknownName(`architecture of a ${type} model`, name, family.names);
  return family.configure(config, name);
}

/** The names that a config lists. */
function namesOf(architectures: unknown): readonly string[] {
  const given = architectures ?? [];
  if (Array.isArray(given) && given.every((item) => typeof item === "string")) return given;
  throw new OptionError(
    `config.json: architectures is ${shown(architectures)}, expected a list of names such as ["BertModel"]; correct the file`,
  );
}
