/** What a family of Hugging Face's models is: its classes, and how the fields of a config become one of them. */
import type { z } from "zod";
import type { TensorType } from "../../graph/ir.ts";
import type { Architectures } from "../../models/index.ts";
import { shownLength, tokenType } from "../../models/shared/preset.ts";
import type { AnyModule } from "../../nn/index.ts";
import { labelsOf, readFields } from "../config-fields.ts";

/** A model that a config.json describes. */
export interface ConfiguredModel {
  /** Name of the class, `BertForMaskedLM`. */
  readonly name: string;
  /** Name of the family, `bert`. */
  readonly type: string;
  /** Types of what it takes, by name, for one sample. */
  readonly inputs: Readonly<Record<string, TensorType>>;
  /** The longest sequence; where positions are relative (T5), that of the training; of images, the number of tokens. */
  readonly maxPositions: number;
  /** A new model without weights, whose parameters have the names of the published ones. */
  build(): AnyModule;
}

/** Fields that every family has. */
interface CommonFields {
  readonly id2label?: object | null | undefined;
  readonly num_labels?: number | null | undefined;
  readonly pad_token_id?: number | null | undefined;
  readonly eos_token_id?: number | readonly number[] | null | undefined;
}

/** What the fields of a config say. */
interface Reading<Options> extends Pick<ConfiguredModel, "inputs" | "maxPositions"> {
  readonly options: Options;
  /** Rate at which a classifier's input is dropped; default the family's. */
  readonly dropout?: number | null | undefined;
  /** Scores of tokens share the weight of their embedding. */
  readonly tied?: boolean;
}

interface FamilySpec<Fields extends CommonFields, Options> {
  readonly type: string;
  readonly schema: z.ZodType<Fields>;
  /** The first is the model without a head. */
  readonly architectures: Architectures<Options>;
  readonly read: (fields: Fields, name: string) => Reading<Options>;
}

export interface Family {
  readonly type: string;
  /** Classes, the model without a head first. */
  readonly names: readonly string[];
  /** Throws OptionError for fields that are missing or wrong. */
  configure(config: object, name: string): ConfiguredModel;
}

export function defineFamily<Fields extends CommonFields, Options>(spec: FamilySpec<Fields, Options>): Family {
  const { type, schema, architectures, read } = spec;
  return {
    type,
    names: Object.keys(architectures),
    configure: (config, name) => {
      const values = readFields(type, schema, config);
      const { options, dropout, tied, ...rest } = read(values, name);
      const token = (id: unknown) => (typeof id === "number" && id >= 0 ? id : undefined);
      const [padding, end] = [token(values.pad_token_id), token(values.eos_token_id)];
      const head = { labels: labelsOf(values), dropout: dropout ?? undefined, tied, padding, end };
      return { name, type, ...rest, build: () => architectures[name]?.(options, head) as AnyModule };
    },
  };
}

/** Classes under the names of a family that differs by these alone: `XLMRobertaModel` for `RobertaModel`. */
export const renamed = <Options>(
  architectures: Architectures<Options>,
  from: string,
  to: string,
): Architectures<Options> =>
  Object.fromEntries(Object.entries(architectures).map(([name, build]) => [name.replace(from, to), build]));

/** What the fields of a model of tokens say of its inputs; `decoder` adds the ids that a decoder takes. */
export function tokens(
  maxPositions: number,
  { decoder = false } = {},
): Pick<ConfiguredModel, "inputs" | "maxPositions"> {
  const ids = tokenType(shownLength(maxPositions));
  return { inputs: { x: ids, ...(decoder && { decoder: ids }) }, maxPositions };
}
