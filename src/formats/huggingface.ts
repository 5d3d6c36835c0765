/** Models from Hugging Face's config.json: its fields, with the library's defaults, as modules of ours. */
import { OptionError, unknownName } from "../core/errors.ts";
import { isPlainObject } from "../core/tree.ts";
import { shown } from "./config-fields.ts";
import { bartFamilies } from "./families/bart.ts";
import { bertFamilies } from "./families/bert.ts";
import { bloomFamilies } from "./families/bloom.ts";
import { convolutionalFamilies } from "./families/convolutional.ts";
import { debertaFamilies } from "./families/deberta.ts";
import { distilbertFamilies } from "./families/distilbert.ts";
import { electraFamilies } from "./families/electra.ts";
import { falconFamilies } from "./families/falcon.ts";
import type { ConfiguredModel, Family } from "./families/family.ts";
import { gemmaFamilies } from "./families/gemma.ts";
import { gptFamilies } from "./families/gpt.ts";
import { gptNeoFamilies } from "./families/gpt-neo.ts";
import { gptNeoXFamilies } from "./families/gpt-neox.ts";
import { llamaFamilies } from "./families/llama.ts";
import { mpnetFamilies } from "./families/mpnet.ts";
import { optFamilies } from "./families/opt.ts";
import { phiFamilies } from "./families/phi.ts";
import { qwenFamilies } from "./families/qwen.ts";
import { swinFamilies } from "./families/swin.ts";
import { t5Families } from "./families/t5.ts";
import { towerFamilies } from "./families/towers.ts";
import { vitFamilies } from "./families/vit.ts";
import { whisperFamilies } from "./families/whisper.ts";

/** Families by their names. */
export const families: ReadonlyMap<string, Family> = new Map(
  [
    bertFamilies,
    distilbertFamilies,
    electraFamilies,
    mpnetFamilies,
    debertaFamilies,
    gptFamilies,
    gptNeoFamilies,
    gptNeoXFamilies,
    optFamilies,
    bloomFamilies,
    falconFamilies,
    phiFamilies,
    llamaFamilies,
    qwenFamilies,
    gemmaFamilies,
    t5Families,
    bartFamilies,
    vitFamilies,
    swinFamilies,
    convolutionalFamilies,
    towerFamilies,
    whisperFamilies,
  ]
    .flat()
    .map((family) => [family.type, family]),
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
  if (!family) throw unknownFamily(type, config);
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

/** Fields that hold the configs of a model's parts. */
const otherParts: readonly (readonly [field: string, what: string])[] = [
  ["text_config", "its model of texts"],
  ["llm_config", "its model of texts"],
  ["vision_config", "its model of images"],
  ["encoder", "its encoder"],
  ["decoder", "its decoder"],
];

/** What to do with a family that is not known: parts of it that are, its weights alone, or a graph of it. */
function unknownFamily(type: string, config: Readonly<Record<string, unknown>>): OptionError {
  const parts = otherParts.flatMap(([field, what]) => {
    const part = config[field];
    const own = isPlainObject(part) ? part["model_type"] : undefined;
    return typeof own === "string" && families.has(own) ? [`${what} alone is a ${own}, described by "${field}"`] : [];
  });
  const known = [...families.keys()].join(", ");
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const same = [...families.keys()].find((own) => letters(own) === letters(type));
  if (same)
    return new OptionError(
      `config.json: model_type is "${type}", and the family's name is "${same}"; correct the file`,
    );
  const mend = [
    ...parts,
    "a .safetensors file of it is inspected by its weights",
    "an ONNX export of it (optimum-cli export onnx) is read whole",
  ];
  return new OptionError(
    `config.json: the family "${type}" is not among those that are known; ${mend.join("; ")}. Known: ${known}`,
  );
}
