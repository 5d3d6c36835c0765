/** Damaged model.json files: whatever is cut off, flipped or taken out, only errors with a sentence come out. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FileError, ShapeError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";
import type { OpenShard } from "../../formats/tfjs/manifest.ts";
import { recordedCases } from "../../formats/tfjs/testing/recorded.node.ts";
import { flipBit } from "../../storage/testing/damage.ts";
import { faultOf } from "../../storage/testing/refusals.ts";
import { tfjsNetwork } from "./tfjs-network.ts";

/** A recorded graph, and the elements of its tensors that are no weights. */
interface Graph {
  readonly model: {
    readonly weightsManifest: readonly {
      readonly weights: readonly { readonly name: string; readonly shape: Shape; readonly dtype: string }[];
    }[];
  };
  readonly settings: Readonly<Record<string, readonly number[]>>;
}

const shapeOf = ({ extents = [] }: { readonly extents?: readonly (number | string | undefined)[] | undefined }) =>
  extents.map((extent) => (typeof extent === "number" ? extent : 2));

/** Reads a model; what it throws, unless that is an error of ours. */
function read(document: unknown, open?: OpenShard): unknown {
  try {
    tfjsNetwork("damaged", document, { shapeOf, ...(open && { open }) });
    return undefined;
  } catch (error) {
    return faultOf(error) === undefined ? undefined : error;
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

describe.each(recordedCases<Graph>("graphs.json"))("%s, with files of weights", (_, { model, settings }) => {
  const listed = model.weightsManifest.flatMap(({ weights }) => weights);
  /** What shapes depend on, as recorded; learned weights are zeros. */
  const words = listed.flatMap(({ name, shape, dtype }) => {
    const elements = settings[name] ?? new Array<number>(size(shape)).fill(0);
    const array = dtype === "bool" ? Uint8Array.from(elements) : Int32Array.from(elements);
    return [...new Uint8Array(array.buffer)];
  });
  const readWith = (bytes: Uint8Array) => read(model, () => memorySource(bytes));

  test("that hold other numbers", () => {
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 255), fc.nat(255));
    fc.assert(
      fc.property(fc.nat(words.length - 1), byte, (at, put) => {
        expect(readWith(Uint8Array.from(words).with(at, put))).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  test("that hold zeros", () => expect(readWith(new Uint8Array(words.length))).toBeUndefined());
});

test("a split into parts that are not equal is refused with its node", () => {
  const { model } = new Map(recordedCases<Graph>("graphs.json")).get("moving elements") as Graph;
  // With zeros for its axis it splits the batch.
  const zeros = memorySource(new Uint8Array(1 << 16));
  const uneven = () => tfjsNetwork("uneven", model, { shapeOf: () => [3, 3, 4, 2], open: () => zeros });
  expect(uneven).toThrow(ShapeError);
  expect(uneven).toThrow('Split "m/split": the 3 elements of axis 0 are no 2 equal parts; convert the model again');
});

test("nesting without end is refused", () => {
  let config: unknown = {};
  for (let i = 0; i < 5000; i++) config = [config];
  const document = { modelTopology: { class_name: "Sequential", config }, weightsManifest: [] };
  expect(() => tfjsNetwork("deep", document)).toThrow(FileError);
});
