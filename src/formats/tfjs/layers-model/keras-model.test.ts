/** What Keras models take and give: tensors by the names of the file, in its order where one stands in another. */
import { describe, expect, test } from "vitest";
import { FileError, OptionError } from "../../../core/errors.ts";
import type { Shape } from "../../../core/shape.ts";
import { type Tensor, tensor } from "../../../core/tensor.ts";
import { Value } from "../../../graph/ir.ts";
import { predict } from "../../../train/predict.ts";
import { type LayersDocument, readDocument } from "../document.ts";
import { importLayersModel } from "./import.ts";
import type { KerasModel } from "./keras-model.ts";

/** A layer, and the layers that each of its calls takes: `encoder:1` for the second result of one. */
type Entry = readonly [name: string, className: string, calls: readonly (readonly string[])[], config?: object];

const reference = (name: string) => {
  const [layer = "", output = "0"] = name.split(":");
  return [layer, 0, Number(output)];
};

/** The config of a model on inputs of shapes. */
const configOf = (inputs: Readonly<Record<string, Shape>>, layers: readonly Entry[], outputs: readonly string[]) => ({
  layers: [
    ...Object.entries(inputs).map(([name, shape]) => ({
      name,
      class_name: "InputLayer",
      config: { batch_input_shape: shape },
    })),
    ...layers.map(([name, class_name, calls, config = {}]) => ({
      name,
      class_name,
      config,
      inbound_nodes: calls.map((call) => call.map(reference)),
    })),
  ],
  input_layers: Object.keys(inputs).map(reference),
  output_layers: outputs.map(reference),
});

function modelOf(...config: Parameters<typeof configOf>): KerasModel {
  const document = { modelTopology: { class_name: "Functional", config: configOf(...config) }, weightsManifest: [] };
  return importLayersModel(readDocument(document) as LayersDocument).module;
}

const [one, two] = [[1], [2]].map((numbers) => tensor([numbers])) as [Tensor, Tensor];
const scalar = { dtype: "float32", shape: [1, 1] } as const;
/** The first of two minus the second, in either order. */
const difference: Entry = ["difference", "Subtract", [["image", "table"]]];
const opposite: Entry = ["opposite", "Subtract", [["table", "image"]]];
const inputs = { image: [1, 1], table: [1, 1] };

describe("inputs", () => {
  test("are taken by their names, in any order", async () => {
    const model = modelOf(inputs, [difference], ["difference"]);
    expect(Object.keys(model.inputs)).toEqual(["image", "table"]);
    expect(await predict(model, { table: two, image: one })).toEqual(tensor([[-1]]));
    const { inputs: [table, image] = [], output } = model.trace({ table: scalar, image: scalar });
    expect([table?.name, image?.name]).toEqual(["table", "image"]);
    expect((output as Value).producer?.inputs).toEqual([image, table]);
  });

  test("of a model of one are a tensor alone too, whatever its name", async () => {
    const model = modelOf({ image: [1, 1] }, [["twice", "Add", [["image", "image"]]]], ["twice"]);
    expect(await predict(model, two)).toEqual(tensor([[4]]));
    expect(await predict(model, { image: two })).toEqual(tensor([[4]]));
  });

  test("that are not taken are refused with the nearest name, those that lack with theirs", () => {
    const model = modelOf(inputs, [difference], ["difference"]);
    const refused = (types: Parameters<typeof model.trace>[0], message: string) => {
      expect(() => model.trace(types)).toThrow(OptionError);
      expect(() => model.trace(types)).toThrow(message);
    };
    refused({ imege: scalar, table: scalar }, 'unknown input "imege"; did you mean "image"? Known: image, table.');
    refused({ image: scalar }, 'lacks its input "table", got { image }; pass { image, table }');
    refused(scalar, 'lacks its input "table"');
  });
});

describe("outputs", () => {
  test("are a record by their names", async () => {
    const model = modelOf(inputs, [difference, opposite], ["opposite", "difference"]);
    expect(model.outputNames).toEqual(["opposite", "difference"]);
    expect(await predict(model, { image: one, table: two })).toEqual({
      opposite: tensor([[1]]),
      difference: tensor([[-1]]),
    });
  });

  test("of one are the tensor", () => {
    const { output } = modelOf(inputs, [difference], ["difference"]).trace({ image: scalar, table: scalar });
    expect(output).toBeInstanceOf(Value);
  });

  test("of one layer are numbered as in Keras, beside names that are taken", () => {
    const lstm: Entry = ["lstm", "LSTM", [["x"]], { units: 3, return_sequences: true, return_state: true }];
    const last: Entry = ["lstm_1", "Activation", [["lstm:1"]], { activation: "tanh" }];
    const model = modelOf({ x: [2, 5, 4] }, [lstm, last], ["lstm:0", "lstm_1", "lstm:1", "lstm:2"]);
    const { output } = model.trace({ x: { dtype: "float32", shape: [2, 5, 4] } });
    expect(Object.entries(output).map(([name, { shape }]) => [name, shape])).toEqual([
      ["lstm", [2, 5, 3]],
      ["lstm_1", [2, 3]],
      ["lstm_2", [2, 3]],
      ["lstm_3", [2, 3]],
    ]);
  });
});

test("a layer that is not known takes all that is connected to it, and gives as much as others take", () => {
  const model = modelOf(inputs, [["join", "Unheard", [["image", "table"]]]], ["join:0", "join:1"]);
  const { inputs: operands, output } = model.trace({ image: scalar, table: scalar });
  const { join, join_1: second } = output as Readonly<Record<string, Value>>;
  expect(join?.producer?.inputs).toEqual(operands);
  expect(join?.producer?.outputs).toEqual([join, second]);
});

describe("a model within another", () => {
  /** From 10 and 2 to their difference 11 and, under a name that a record moves before it, its opposite 3. */
  const inner = configOf(
    { 10: [1, 1], 2: [1, 1] },
    [
      ["11", "Subtract", [["10", "2"]]],
      ["3", "Subtract", [["2", "10"]]],
    ],
    ["11", "3"],
  );
  // Written by hand: an object literal would have 2 before 10.
  const ordered = { ...inner, input_layers: ["10", "2"].map(reference) };

  test("is connected in the order of the file, which its records do not keep", async () => {
    const layers: readonly Entry[] = [
      ["inner", "Functional", [["image", "table"]], ordered],
      ["first", "Activation", [["inner:0"]], { activation: "linear" }],
      ["second", "Activation", [["inner:1"]], { activation: "linear" }],
    ];
    expect(await predict(modelOf(inputs, layers, ["first", "second"]), { image: one, table: two })).toEqual({
      first: tensor([[-1]]),
      second: tensor([[1]]),
    });
  });

  test("and a layer are refused with more or fewer tensors than they take", () => {
    const build = (entry: Entry) => () => modelOf(inputs, [entry], [entry[0]]);
    const few = build(["inner", "Functional", [["image"]], ordered]);
    expect(few).toThrow(FileError);
    expect(few).toThrow('the number of inputs of kerasModel "inner" is 1, expected 2; convert the model again');
    const many = build(["flat", "Flatten", [["image", "table"]]]);
    expect(many).toThrow(FileError);
    expect(many).toThrow('the number of inputs of flatten "flat" is 2, expected 1; convert the model again');
  });
});

test("layers that are not to be trained are frozen, their statistics too", () => {
  const fixed: Entry = ["fixed", "BatchNormalization", [["x"]], { trainable: false }];
  const trained: Entry = ["trained", "BatchNormalization", [["fixed"]]];
  const model = modelOf({ x: [4, 3] }, [fixed, trained], ["trained"]);
  const frozen = [...model.parameters()].filter(([, parameter]) => parameter.frozen).map(([path]) => path);
  expect(frozen).toEqual(["fixed.weight", "fixed.bias", "fixed.running_mean", "fixed.running_var"]);
  const { context } = model.trace({ x: { dtype: "float32", shape: [4, 3] } }, { training: true });
  expect(Array.from(context.updates.keys(), ({ name }) => name)).toEqual(["running_mean", "running_var"]);
});
