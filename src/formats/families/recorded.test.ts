/** Families of Hugging Face's library at tiny sizes: names of parameters, and outputs of the same weights. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Tensor } from "../../core/tensor.ts";
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

/** Token 2 ends each sequence, and stands nowhere else, nor does token 1 before it. */
const ended = (ids: Tensor<"int64">) =>
  new Tensor(
    "int64",
    ids.shape,
    ids.data.map((id, i) => {
      if (i === 6 || i === 11) return 2n;
      if (id === 1n) return ids === padded && i > 11 ? 1n : 4n;
      return id === 2n ? 3n : id;
    }),
  );

/** What runs have beside whole sequences. */
const special: Readonly<Record<string, Readonly<Record<string, Tensor>>>> = {
  masked: { x: padded, mask },
  segments: { x: padded, mask, types },
  "plain, ended": { x: ended(x) },
  "masked, ended": { x: ended(padded), mask },
};

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
      for (const [run, recorded] of Object.entries(runs)) {
        const { x: ids, ...others } = special[run] ?? {};
        const words = ids && { [given["text"] ? "text" : "x"]: ids };
        await checkOutputs(model, { ...given, ...words, ...others }, recorded);
      }
      expect(digestOf(model), `names of ${name}`).toBe(names);
    },
  );
});
