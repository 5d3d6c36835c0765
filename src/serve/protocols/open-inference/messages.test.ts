/** The messages of the protocol's published text, in JSON and as bytes, and what is wrong with others in words. */
import { describe, expect, test } from "vitest";
import { SardonyxError } from "../../../core/errors.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import { readInferRequest, writeInferAnswer } from "./messages.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const read = (request: unknown) => readInferRequest(bytesOf(JSON.stringify(request)), undefined);

// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, "Inference Request JSON Object"
const published = {
  id: "42",
  inputs: [
    { name: "input0", shape: [2, 2], datatype: "UINT32", data: [1, 2, 3, 4] },
    { name: "input1", shape: [3], datatype: "BOOL", data: [true, false, true] },
  ],
  outputs: [{ name: "output0" }],
};

describe("a request", () => {
  test("of the specification is read, its numbers in one row or nested", () => {
    const { id, inputs, outputs } = read(published);
    expect([id, outputs]).toEqual(["42", [{ name: "output0", binary: false }]]);
    expect(inputs.get("input0")).toEqual(new Tensor("uint32", [2, 2], Uint32Array.of(1, 2, 3, 4)));
    expect(inputs.get("input1")).toEqual(new Tensor("bool", [3], Uint8Array.of(1, 0, 1)));
    const nested = { ...published.inputs[0], data: [[1, 2], [3, 4]] }; // biome-ignore format: as rows
    expect(read({ inputs: [nested] }).inputs.get("input0")).toEqual(inputs.get("input0"));
  });

  test("with bytes, as the binary tensor data extension shows it", () => {
    const header = bytesOf(
      JSON.stringify({
        model_name: "mymodel",
        inputs: [
          { name: "input0", shape: [2, 2], datatype: "UINT32", parameters: { binary_data_size: 16 } },
          { name: "input1", shape: [3], datatype: "BOOL", parameters: { binary_data_size: 3 } },
        ],
        outputs: [{ name: "output0", parameters: { binary_data: true } }],
      }),
    );
    const numbers = new Uint8Array(Uint32Array.of(1, 2, 3, 4).buffer);
    const { inputs, outputs } = readInferRequest(
      joined(header, numbers, Uint8Array.of(1, 0, 1)),
      String(header.length),
    );
    expect(inputs.get("input0")?.toNumbers()).toEqual([1, 2, 3, 4]);
    expect(inputs.get("input1")?.toNumbers()).toEqual([1, 0, 1]);
    expect(outputs).toEqual([{ name: "output0", binary: true }]);
  });

  const input = { name: "x", shape: [2], datatype: "FP32", data: [1, 2] };
  const wrong: readonly (readonly [request: unknown, message: string])[] = [
    [{}, "the request: inputs: Invalid input: expected array, received undefined; correct it"],
    [{ inputs: [{ ...input, datatype: "FP8" }] }, 'input "x" has the datatype "FP8"'],
    [{ inputs: [{ ...input, datatype: "FP16" }] }, "FP16, which JSON does not carry; send it as bytes, or as FP32"],
    [{ inputs: [{ ...input, data: [1] }] }, 'input "x" has 1 element, and its shape [2] takes 2; send as many'],
    [{ inputs: [{ ...input, data: undefined }] }, "has no elements"],
    [{ inputs: [{ ...input, data: [1, "2"] }] }, 'element 1 is "2", expected a number for FP32; correct it'],
    [{ inputs: [{ ...input, data: [1, null] }] }, "element 1 is null"],
    [{ inputs: [{ ...input, data: [1, 1e39] }] }, "expected a number within its range for FP32"],
    [{ inputs: [{ ...input, datatype: "INT8", data: [1, 128] }] }, "expected a whole number from -128 to 127"],
    [{ inputs: [{ ...input, datatype: "INT64", data: [1, 2 ** 53] }] }, "below 2^53 in JSON"],
    [{ inputs: [{ ...input, shape: [1e9, 1e9] }] }, "more than the body can hold; send the shape of the data"],
    [{ inputs: [{ ...input, shape: [-1] }] }, "the request: inputs.0.shape.0"],
    [{ inputs: [input, input] }, 'input "x" is there twice; send it once'],
    [
      { inputs: [input], parameters: { sequence_id: 1 } },
      "models keep nothing between requests; send each request whole",
    ],
    [{ inputs: [{ ...input, parameters: { shared_memory_region: "a" } }] }, "tensors are read from the request alone"],
    [
      { inputs: [{ ...input, parameters: { binary_data_size: 8 } }] },
      "has data and binary_data_size; send one of them",
    ],
    [
      { inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 8 } }] },
      "0 bytes are left behind the JSON",
    ],
    [{ inputs: [input], outputs: [{ name: "y", parameters: { classification: 3 } }] }, "take the classes from them"],
    [{ inputs: [input], more: 1 }, "the request"],
  ];
  test.each(wrong)("%j is refused in words", (request, message) => {
    expect(() => read(request)).toThrow(SardonyxError);
    expect(() => read(request)).toThrow(message);
  });

  test("lengths that are not those of the body are refused", () => {
    const header = bytesOf(
      JSON.stringify({ inputs: [{ name: "x", shape: [2], datatype: "FP32", parameters: { binary_data_size: 8 } }] }),
    );
    const eight = new Uint8Array(8);
    const attempt = (body: Uint8Array, length: string) => () => readInferRequest(body, length);
    expect(attempt(joined(header, eight), String(header.length))()).toBeDefined();
    expect(attempt(joined(header, eight), "0x10")).toThrow("Inference-Header-Content-Length");
    expect(attempt(joined(header, eight), "100000")).toThrow("expected the bytes of the JSON");
    expect(attempt(joined(header, eight), String(header.length - 1))).toThrow("the request is no JSON");
    expect(attempt(joined(header, eight.subarray(1)), String(header.length))).toThrow("7 bytes are left");
    expect(attempt(joined(header, eight, eight), String(header.length))).toThrow("8 bytes are left behind the tensors");
  });
});

describe("an answer", () => {
  const results = new Map<string, Tensor>([
    ["scores", tensor([[1.5, -2]])],
    ["id", new Tensor("int64", [1], BigInt64Array.of(2n ** 60n))],
    ["flag", new Tensor("bool", [2], Uint8Array.of(1, 0))],
  ]);
  const asked = { id: "7", inputs: new Map(), outputs: undefined, binary: false };
  const model = { name: "m", version: "2" };

  test("in JSON has all outputs, whole numbers digit by digit", () => {
    const { body, headers } = writeInferAnswer(asked, model, results);
    expect(headers).toEqual({ "content-type": "application/json" });
    expect(body).toBe(
      '{"model_name":"m","model_version":"2","id":"7","outputs":[{"name":"scores","shape":[1,2],"datatype":"FP32","data":[1.5,-2]},{"name":"id","shape":[1],"datatype":"INT64","data":[1152921504606846976]},{"name":"flag","shape":[2],"datatype":"BOOL","data":[true,false]}]}',
    );
  });

  test("as bytes has those that were asked for, in their order, behind the JSON", () => {
    const outputs = [{ name: "flag", binary: true }, { name: "scores", binary: true }]; // biome-ignore format: one line
    const { body, headers } = writeInferAnswer({ ...asked, outputs }, model, results);
    const length = Number(headers["inference-header-content-length"]);
    const { outputs: written } = JSON.parse(new TextDecoder().decode((body as Uint8Array).subarray(0, length)));
    expect(written.map((own: { parameters: unknown }) => own.parameters)).toEqual([{ binary_data_size: 2 }, { binary_data_size: 8 }]); // biome-ignore format: one line
    expect([...(body as Uint8Array).subarray(length)]).toEqual([
      1,
      0,
      ...new Uint8Array(Float32Array.of(1.5, -2).buffer),
    ]);
  });

  test("with what JSON does not have says how to get it, and without an output what there are", () => {
    const broken = new Map([["y", new Tensor("float32", [1], Float32Array.of(Number.NaN))]]);
    expect(() => writeInferAnswer(asked, model, broken)).toThrow(
      'ask for it as bytes: "parameters": {"binary_data": true}',
    );
    const outputs = [{ name: "y", binary: false }];
    expect(() => writeInferAnswer({ ...asked, outputs }, model, results)).toThrow('it has "scores", "id", "flag"');
  });
});
