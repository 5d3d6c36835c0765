/** Damaged model.json files: whatever is cut off, flipped or taken out, only errors with a sentence come out. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileError, SardonyxError } from "../../core/errors.ts";
import { recordedCases } from "../../formats/tfjs/testing/recorded.node.ts";
import { flipBit } from "../../storage/testing/damage.ts";
import { tfjsNetwork } from "./tfjs-network.ts";

const shapeOf = ({ extents = [] }: { readonly extents?: readonly (number | string | undefined)[] | undefined }) =>
  extents.map((extent) => (typeof extent === "number" ? extent : 2));

/** Reads a model; what it throws, unless that is an error of ours. */
function read(document: unknown): unknown {
  try {
    tfjsNetwork("damaged", document, { shapeOf });
    return undefined;
  } catch (error) {
    return error instanceof SardonyxError && error.code !== "INTERNAL" ? undefined : error;
  }
}

const models = ["layers.json", "graphs.json"].flatMap((file) =>
  recordedCases<{ readonly model: object }>(file).map(([name, { model }]) => [name, JSON.stringify(model)] as const),
);

/** The ways to every part of a document. */
function pathsOf(part: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof part !== "object" || part === null) return [path];
  return [path, ...Object.entries(part).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

/** A document with one part taken out, or another in its place. */
function changed(text: string, path: readonly string[], put?: { readonly value: unknown }): unknown {
  const document = JSON.parse(text);
  const last = path.at(-1);
  if (last === undefined) return put?.value;
  const around = path.slice(0, -1).reduce((part, key) => part[key], document);
  if (put) around[last] = put.value;
  else if (Array.isArray(around)) around.splice(Number(last), 1);
  else delete around[last];
  return document;
}

describe.each(models)("%s", (_, text) => {
  const bytes = new TextEncoder().encode(text);
  const paths = pathsOf(JSON.parse(text));

  test("is whole", () => expect(read(JSON.parse(text))).toBeUndefined());

  test("without a part", () => {
    fc.assert(
      fc.property(fc.nat(paths.length - 1), (i) => {
        expect(read(changed(text, paths[i] ?? []))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("with another part", () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: -3, max: 9 }), fc.constant(1e9));
    fc.assert(
      fc.property(fc.nat(paths.length - 1), value, (i, put) => {
        expect(read(changed(text, paths[i] ?? [], { value: put }))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("with a flipped bit", () => {
    fc.assert(
      fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
        const flipped = new TextDecoder().decode(flipBit(bytes, bit));
        let document: unknown;
        try {
          document = JSON.parse(flipped);
        } catch {
          return; // The command line says that it is no JSON.
        }
        expect(read(document)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

test("nesting without end is refused", () => {
  let config: unknown = {};
  for (let i = 0; i < 5000; i++) config = [config];
  const document = { modelTopology: { class_name: "Sequential", config }, weightsManifest: [] };
  expect(() => tfjsNetwork("deep", document)).toThrow(FileError);
});
