/** The two formats of a model.json, in the forms in which they were written over the years. */
import { describe, expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { readDocument } from "./document.ts";

const weightsManifest: readonly object[] = [];
const keras = { class_name: "Sequential", config: { layers: [] } };

test("Keras's layers, with and without their training config", () => {
  expect(readDocument({ format: "layers-model", modelTopology: keras, weightsManifest })).toMatchObject({
    format: "layers-model",
    model: keras,
    producer: "",
  });
  const older = { keras_version: "2.2.4", backend: "tensorflow", model_config: keras };
  expect(readDocument({ modelTopology: older, weightsManifest })).toMatchObject({
    format: "layers-model",
    model: keras,
    producer: "Keras 2.2.4",
  });
});

test("TensorFlow's graphs, with the signature where it is", () => {
  const graph = { node: [] };
  const signature = { inputs: {} };
  const written = { generatedBy: "2.2.0", convertedBy: "TensorFlow.js Converter v1.7.4r1" };
  expect(readDocument({ ...written, signature, modelTopology: graph, weightsManifest })).toMatchObject({
    format: "graph-model",
    graph,
    signature,
    producer: "TensorFlow.js Converter v1.7.4r1, TensorFlow 2.2.0",
  });
  const noted = { userDefinedMetadata: { signature }, modelTopology: graph, weightsManifest };
  expect(readDocument(noted)).toMatchObject({ format: "graph-model", signature, producer: "" });
});

describe("what is neither is reported", () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["no object", [1], "tfjs: a model is [1], expected the object that a model.json holds; parse it"],
    ["no topology", { weightsManifest }, "model.json: modelTopology is missing, expected an object that describes the"],
    [
      "no manifest",
      { modelTopology: keras },
      "weightsManifest: it is missing, expected the list of the files of weights",
    ],
    [
      "another topology",
      { modelTopology: { layers: [], more: 1 }, weightsManifest },
      "modelTopology has layers, more; expected a Keras model, which has class_name, or a TensorFlow graph, which has a list node",
    ],
    ["an empty one", { modelTopology: {}, weightsManifest }, "modelTopology has nothing in it; expected a Keras model"],
    [
      "a class",
      { modelTopology: { class_name: 3 }, weightsManifest },
      "modelTopology: class_name is 3, expected a name",
    ],
  ];
  test.each(cases)("%s", (_, document, message) => {
    expect(() => readDocument(document)).toThrow(FileError);
    expect(() => readDocument(document)).toThrow(message);
  });
});
