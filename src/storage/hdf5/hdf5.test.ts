/** HDF5 files of h5py, in its default form and in the latest: groups, datasets, attributes, and what is refused. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { float16Number } from "../../core/half.ts";
import { type Hdf5Dataset, type Hdf5Group, openHdf5 } from "./hdf5.ts";

/** Written by scripts/make-keras-fixtures.py. */
const fixture = (name: string) => readFileSync(new URL(`../../../test/fixtures/keras/${name}`, import.meta.url));
const open = (name: string) => openHdf5(memorySource(fixture(name)));
const groupIn = (group: Hdf5Group, name: string) => group.member(name) as Hdf5Group;
const datasetIn = (group: Hdf5Group, name: string) => group.member(name) as Hdf5Dataset;

describe("h5py's default form", () => {
  const root = open("nested.h5");

  test("members and attributes, text in the file's heap and beside", () => {
    expect(root.names).toEqual(["model_weights", "optimizer_weights"]);
    expect(root.attribute("keras_version")).toEqual(["2.11.0"]);
    expect(JSON.parse(String(root.attribute("model_config")?.[0]))).toHaveProperty("config.layers");
    const layers = groupIn(root, "model_weights").attribute("layer_names");
    expect(layers).toContain("sequential_2");
    expect(root.attribute("nothing")).toBeUndefined();
    expect(root.member("nothing")).toBeUndefined();
  });

  test("datasets with their extents and types", () => {
    const iterations = datasetIn(groupIn(groupIn(root, "optimizer_weights"), "Adam"), "iter:0");
    expect([iterations.shape, iterations.type.name]).toEqual([[], "int64"]);
    expect(new BigInt64Array(iterations.read().buffer)).toEqual(BigInt64Array.of(3n));
  });
});

describe("the latest form", () => {
  const root = open("latest.h5");
  const group = groupIn(root, "group");

  test("members and attributes", () => {
    expect(root.attribute("text")).toEqual(["größer"]);
    expect(root.attribute("numbers")).toEqual([3, 4]);
    expect([...group.names].sort()).toEqual(["empty", "halves", "large end first", "truths"]);
  });

  test("elements of every kind, little-endian", () => {
    const halves = datasetIn(group, "halves");
    expect([halves.shape, halves.type.name]).toEqual([[2, 2], "float16"]);
    expect(Array.from(new Uint16Array(halves.read().buffer), float16Number)).toEqual([1, -2.5, 0.5, 65504]);
    expect(new Float32Array(datasetIn(group, "large end first").read().buffer)).toEqual(Float32Array.of(1.5, -2));
    const truths = datasetIn(group, "truths");
    expect([truths.type.name, ...truths.read()]).toEqual(["bool", 1, 0]);
    expect(datasetIn(group, "empty").read().length).toBe(0);
  });
});

describe("what is refused", () => {
  test("chunks, in a sentence; links elsewhere are passed over", () => {
    const root = open("chunks.h5");
    expect(root.names).toEqual(["packed"]);
    expect(() => datasetIn(root, "packed").read()).toThrow(FileError);
    expect(() => datasetIn(root, "packed").read()).toThrow(
      "hdf5: a dataset lies in chunks, which Keras does not write; rewrite it: h5repack -l CONTI",
    );
  });

  test.each([
    ["another file", new Uint8Array(200), "hdf5: the file does not begin as HDF5 files do"],
    ["a cut file", fixture("nested.h5").subarray(0, 5000), "hdf5: the file has 5000 of"],
    ["the begin of one", fixture("nested.h5").subarray(0, 50), "hdf5: the file has 50 bytes; it is cut off"],
  ])("%s", (_, bytes, message) => {
    expect(() => openHdf5(memorySource(bytes))).toThrow(FileError);
    expect(() => openHdf5(memorySource(bytes))).toThrow(message);
  });

  test("a header that goes on in itself", () => {
    const bytes = new Uint8Array(fixture("chunks.h5"));
    const view = new DataView(bytes.buffer);
    const root = Number(view.getBigUint64(64, true));
    // The first message becomes one that says where the header goes on: at itself.
    view.setUint16(root + 16, 0x10, true);
    view.setUint16(root + 18, 16, true);
    view.setBigUint64(root + 24, BigInt(root + 16), true);
    view.setBigUint64(root + 32, 24n, true);
    expect(() => openHdf5(memorySource(bytes))).toThrow(/hdf5: an object has more than \d+ (messages|parts)/);
  });
});
