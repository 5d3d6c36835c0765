/** Families of Hugging Face's library at tiny sizes: names of parameters, and outputs of the same weights. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { signed } from "../../models/testing/fill.ts";
import { modelFromConfig } from "../huggingface.ts";
import { checkOutputs, digestOf, type Plain, readRecorded, recordedIds } from "../testing/recorded-models.ts";

/** A group that scripts/record-family-fixtures.py wrote. */
interface Group {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly config: Readonly<Record<string, unknown>>;
        readonly names: string;
        readonly runs: Readonly<Record<string, readonly Plain[]>>;
      }
    >
  >;
}

const folder = new URL("../../../test/fixtures/models/families/", import.meta.url);
const groups = readdirSync(folder).map((file) => file.replace(".json", ""));
const { x, decoder, types, padded, mask } = recordedIds(13);

describe.each(groups)("%s", (group) => {
  test.each(Object.entries(readRecorded<Group>(`families/${group}`).models))(
    "%s",
    async (_, { config, names, runs }) => {
      const { build, name, inputs } = modelFromConfig(config);
      const model = build();
      const given = Object.fromEntries(
        Object.entries(inputs).map(([input, type]) => {
          if (type.dtype !== "int64") return [input, signed("input", [2, ...type.shape.slice(1)])];
          return [input, input === "decoder" ? decoder : x];
        }),
      );
      if (runs["plain"]) await checkOutputs(model, given, runs["plain"]);
      if (runs["masked"]) await checkOutputs(model, { ...given, x: padded, mask }, runs["masked"]);
      if (runs["segments"]) await checkOutputs(model, { ...given, x: padded, mask, types }, runs["segments"]);
      expect(digestOf(model), `names of ${name}`).toBe(names);
    },
  );
});
