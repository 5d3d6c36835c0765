/** Models of Keras's: TensorFlow.js folders of layers and of graphs, `.keras` archives, HDF5 files. */
import { memorySource } from "../../src/core/byte-source.ts";
import type { Random } from "../../src/core/random.ts";
import { openHdf5 } from "../../src/storage/hdf5/hdf5.ts";
import { jsonText, within, zipEntries } from "../mutate/frames.ts";
import { changedJson, jsonIn } from "../mutate/json.ts";
import { type Files, readAll, type Target } from "../target.ts";
import { jsonBytes, jsonFixture, oneFile } from "./fixtures.ts";
import { inspectAndLoad, inspectAndLoadFolder } from "./inspected.ts";

interface Recorded {
  readonly cases: Readonly<Record<string, { readonly model: Manifested }>>;
}
interface Manifested {
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { readonly shape: readonly number[]; readonly dtype: string }[];
  }[];
}

/** The bytes of a model's weights, all of them zero. */
const zerosOf = ({ weightsManifest = [] }: Manifested): number =>
  weightsManifest
    .flatMap(({ weights }) => weights)
    .reduce((sum, { shape, dtype }) => sum + shape.reduce((a, b) => a * b, dtype === "bool" ? 1 : 4), 0);

/** Folders with a model.json and one file of weights. */
const foldersOf = (name: string): readonly Files[] =>
  Object.values(jsonFixture<Recorded>(`tfjs/${name}.json`).cases).map(({ model }) => {
    const groups = (model.weightsManifest ?? []).map((group) => ({ ...group, paths: ["weights.bin"] }));
    return {
      "model.json": jsonBytes({ ...model, weightsManifest: groups }),
      "weights.bin": new Uint8Array(zerosOf(model)),
    };
  });

const changesOfFolders = [jsonIn("model.json"), jsonIn("model.json"), jsonIn("model.json")];

export const tfjsLayers: Target = {
  name: "tfjs-layers",
  reads: "TensorFlow.js models of Keras's layers: `inspect`, `loadModel`",
  seeds: (): readonly Files[] => foldersOf("layers"),
  mutations: changesOfFolders,
  read: inspectAndLoadFolder,
};

export const tfjsGraph: Target = {
  name: "tfjs-graph",
  reads: "TensorFlow.js graphs: `inspect`, `loadModel`",
  seeds: (): readonly Files[] => foldersOf("graphs"),
  mutations: changesOfFolders,
  read: inspectAndLoadFolder,
};

export const kerasArchive: Target = {
  name: "keras",
  reads: ".keras archives: `inspect`, `loadModel`",
  seeds: (): readonly Files[] =>
    oneFile(
      "model.keras",
      ...["nested", "separable", "cells", "batch-normalization"].map((name) => `keras/${name}.keras`),
    ),
  mutations: [
    within("model.keras", zipEntries({ "config.json": jsonText, "metadata.json": jsonText })),
    within("model.keras", zipEntries({ "config.json": jsonText, "metadata.json": jsonText })),
  ],
  read: inspectAndLoad("model.keras"),
};

/** Changes the config in an HDF5 file where it stands; it takes as many bytes as before. */
function configInHdf5(bytes: Uint8Array, random: Random): Uint8Array {
  const text = openHdf5(memorySource(bytes)).attribute("model_config")?.[0];
  if (typeof text !== "string") return bytes;
  const at = Buffer.from(bytes).indexOf(text);
  const length = new TextEncoder().encode(text).length;
  const changed = new TextEncoder().encode(changedJson(text, random) ?? "");
  const copy = bytes.slice();
  copy.fill(0x20, at, at + length);
  copy.set(changed.subarray(0, length), at);
  return copy;
}

export const hdf5: Target = {
  name: "hdf5",
  reads: "HDF5 files of Keras's: `inspect`, `loadModel`; every object of a file",
  seeds: (): readonly Files[] =>
    oneFile("model.h5", ...["nested", "separable", "batch-normalization", "latest"].map((name) => `keras/${name}.h5`)),
  refused: () => oneFile("model.h5", "keras/chunks.h5"),
  mutations: [within("model.h5", configInHdf5)],
  read: (input) =>
    readAll(
      () => inspectAndLoad("model.h5")(input),
      () => readEvery(openHdf5(memorySource(input.bytes("model.h5")))),
    ),
};

/** Reads every object of a file. */
function readEvery(group: ReturnType<typeof openHdf5>, depth = 0): void {
  for (const name of group.names) {
    const member = group.member(name);
    member?.attribute("names");
    if (member?.kind === "dataset") member.read();
    else if (member && depth < 8) readEvery(member, depth + 1);
  }
}
