/** What clients send to `sardonyx serve`: inference requests with bytes behind their JSON, and OpenAI's fields. */
import { readInferRequest, writeInferAnswer } from "../../src/serve/protocols/open-inference/messages.ts";
import { chatSchema, completionSchema, embeddingSchema, readFields } from "../../src/serve/protocols/openai/fields.ts";
import { anyBytes, within } from "../mutate/frames.ts";
import { jsonIn } from "../mutate/json.ts";
import { type Files, readAll, type Target } from "../target.ts";
import { jsonBytes, utf8 } from "./fixtures.ts";

const [body, length] = ["body", "length"] as const;

/** A request with bytes of tensors behind its JSON. */
function withBytes(request: unknown, bytes: number): Files {
  const header = jsonBytes(request);
  const whole = new Uint8Array(header.length + bytes);
  whole.set(header);
  return { [body]: whole, [length]: utf8(String(header.length)) };
}

const input = { name: "x", shape: [2, 2], datatype: "FP32" };

export const inferRequest: Target = {
  name: "infer-request",
  reads:
    "requests of the Open Inference Protocol, in JSON and with bytes: `readInferRequest`, and their inputs as an answer",
  seeds: (): readonly Files[] => [
    { [body]: jsonBytes({ id: "1", inputs: [{ ...input, data: [1, 2, 3, 4] }], outputs: [{ name: "x" }] }) },
    { [body]: jsonBytes({ inputs: [{ ...input, datatype: "INT64", data: [[1, 2], [3, 4]] }, { name: "b", shape: [1], datatype: "BOOL", data: [true] }] }) }, // biome-ignore format: one line
    withBytes(
      { inputs: [{ ...input, parameters: { binary_data_size: 16 } }], parameters: { binary_data_output: true } },
      16,
    ),
    withBytes(
      {
        inputs: [
          { ...input, datatype: "FP16", parameters: { binary_data_size: 8 } },
          { name: "b", shape: [3], datatype: "BOOL", parameters: { binary_data_size: 3 } },
        ],
      },
      11,
    ),
  ],
  mutations: [jsonIn(body), within(body, anyBytes), within(length, anyBytes)],
  read(input) {
    const given = input.bytes(length);
    const request = readInferRequest(input.bytes(body), given.length === 0 ? undefined : input.text(length));
    return writeInferAnswer({ ...request, outputs: undefined }, { name: "m", version: "1" }, request.inputs);
  },
};

export const openAiRequest: Target = {
  name: "openai-request",
  reads: "requests of OpenAI's clients: `readFields` of chat, completions and embeddings",
  seeds: (): readonly Files[] => [
    {
      [body]: jsonBytes({
        model: "m",
        messages: [{ role: "user", content: "hi" }],
        stream: true,
        stop: ["a"],
        seed: 1,
      }),
    },
    { [body]: jsonBytes({ model: "m", prompt: [[1, 2], [3]], max_tokens: 4, logprobs: 2, logit_bias: {} }) },
    { [body]: jsonBytes({ model: "m", input: ["a", "b"], encoding_format: "base64", user: "me" }) },
  ],
  mutations: [jsonIn(body), within(body, anyBytes)],
  read: (input) =>
    readAll(
      ...[chatSchema, completionSchema, embeddingSchema].map((schema) => () => readFields(schema, input.bytes(body))),
    ),
};
