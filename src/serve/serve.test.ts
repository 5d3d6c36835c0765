/** The server as clients meet it: answers, refusals in words, limits, those who mean it ill, new versions, and its end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { loadModel } from "../formats/files/load-model.node.ts";
import { predict } from "../train/predict.ts";
import type { ModelServer, RequestRecord } from "./http/server.node.ts";
import { serve } from "./serve.node.ts";
import { hostileRequest } from "./testing/hostile.ts";
import { writeClassifier, writePretrained } from "./testing/made-models.ts";
import { sendRaw } from "./testing/raw-client.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-serve-"));
const file = join(folder, "model.onnx");
const records: RequestRecord[] = [];
let server: ModelServer;
const at = (path: string) => `${server.url}${path}`;
const portOf = ({ url }: ModelServer) => Number(new URL(url).port);

beforeAll(async () => {
  writeClassifier(file);
  server = await serve({
    models: [{ name: "model", path: file }],
    listen: { port: 0 },
    limits: { body: 10_000, arrival: 1, seconds: 5 },
    onRequest: (record) => records.push(record),
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(at(path), {
    method: "POST",
    body: body as BodyInit,
    headers: { "content-type": "application/json", ...headers },
  });
const infer = (x: readonly number[], more: object = {}) =>
  post(
    "/v2/models/model/infer",
    JSON.stringify({ inputs: [{ name: "input", shape: [x.length / 4, 4], datatype: "FP32", data: x }], ...more }),
  );
const errorOf = async (reply: Response) => ((await reply.json()) as { error: string }).error;

describe("the Open Inference Protocol", () => {
  test("health and metadata", async () => {
    expect(await (await fetch(at("/v2/health/live"))).json()).toEqual({ live: true });
    expect((await fetch(at("/v2/health/ready"))).status).toBe(200);
    expect(await (await fetch(at("/v2"))).json()).toMatchObject({
      name: "sardonyx",
      extensions: expect.arrayContaining(["binary_tensor_data"]),
    });
    expect(await (await fetch(at("/v2/models/model"))).json()).toEqual({
      ...{ name: "model", versions: ["1"], platform: "sardonyx_file" },
      inputs: [{ name: "input", datatype: "FP32", shape: [-1, 4] }],
      outputs: [{ name: "output", datatype: "FP32", shape: [-1, 3] }],
    });
    expect((await fetch(at("/v2/models/model/versions/1/ready"))).status).toBe(200);
    expect((await fetch(at("/v2/models/model/versions/2/ready"))).status).toBe(503);
  });

  test("many at once are each answered with their own", async () => {
    const random = new Random(keyOf(1));
    const asked = Array.from({ length: 60 }, (_, i) =>
      Float32Array.from({ length: 4 * (1 + (i % 3)) }, () => random.uniform()),
    );
    const model = await loadModel(file);
    const replies = await Promise.all(asked.map((x) => infer([...x])));
    for (const [i, x] of asked.entries()) {
      const expected = (await predict(model as never, new Tensor("float32", [x.length / 4, 4], x) as never)) as Tensor;
      const { outputs } = (await (replies[i] as Response).json()) as { outputs: [{ data: number[]; shape: number[] }] };
      expect(outputs[0].shape).toEqual([x.length / 4, 3]);
      // Sums of 8 terms in another order.
      for (const [j, value] of outputs[0].data.entries()) expect(value).toBeCloseTo(Number(expected.data[j]), 5);
    }
  });

  test("bytes in, bytes out", async () => {
    const header = new TextEncoder().encode(
      '{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}],"parameters":{"binary_data_output":true}}',
    );
    const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const reply = await post("/v2/models/model/infer", Buffer.concat([header, numbers]), {
      ...{ "content-type": "application/octet-stream", "inference-header-content-length": String(header.length) },
    });
    const length = Number(reply.headers.get("inference-header-content-length"));
    const body = new Uint8Array(await reply.arrayBuffer());
    const { outputs } = (await (await infer([1, 2, 3, 4])).json()) as { outputs: [{ data: number[] }] };
    expect([...new Float32Array(body.slice(length).buffer)]).toEqual(outputs[0].data.map(Math.fround));
  });

  test.each([
    [{ name: "y", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }, 400, 'unknown input "y"'],
    [
      { name: "input", shape: [4], datatype: "FP32", data: [1, 2, 3, 4] },
      400,
      "the model takes [any, 4]; send that shape",
    ],
    [{ name: "input", shape: [1, 4], datatype: "FP64", data: [1, 2, 3, 4] }, 400, "the model takes float32; send that"],
  ])("%j is refused in words", async (input, status, message) => {
    const reply = await post("/v2/models/model/infer", JSON.stringify({ inputs: [input] }));
    expect(reply.status).toBe(status);
    expect(await errorOf(reply)).toContain(message);
  });
});

describe("POST /predict", () => {
  test("rows in JSON, one or several", async () => {
    const { predictions } = (await (await post("/predict", "[[1,2,3,4],[5,6,7,8]]")).json()) as {
      predictions: { output: number[] }[];
    };
    expect(predictions.map(({ output }) => output.length)).toEqual([3, 3]);
    expect((await post("/predict/model?x=1", "[1,2,3,4]")).status).toBe(200);
  });

  test.each([
    ["[1,2]", "application/json", 400, "the model takes [4]"],
    ["/etc/passwd", "application/json", 400, "the body is no JSON"],
    ['"/etc/passwd"', "application/json", 400, "the body is no list and no object"],
    ["<xml/>", "text/xml", 415, 'the body is "text/xml", expected application/json'],
    ["not a png", "image/png", 400, "the body: this run's model takes [4] numbers, no images; pass JSON"],
  ])("%s as %s is refused in words", async (body, type, status, message) => {
    const reply = await post("/predict", body, { "content-type": type });
    expect(reply.status).toBe(status);
    expect(await errorOf(reply)).toContain(message);
  });
});

describe("limits and access", () => {
  test("a body that is too large, named as much or not, is refused before it is read", async () => {
    const reply = await post("/predict", " ".repeat(10_001));
    expect([reply.status, await errorOf(reply)]).toEqual([413, expect.stringContaining("--max-body")]);
    const chunk = `3e8\r\n${" ".repeat(1000)}\r\n`;
    const raw = await sendRaw(portOf(server), ["POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n", chunk.repeat(12)]); // biome-ignore format: one line
    expect(raw).toMatch(/^HTTP\/1.1 413 /);
  });

  test("a request that does not come in time is ended, and a body that ends early is no request", async () => {
    const head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n";
    expect(await sendRaw(portOf(server), [head, "[1,"], { seconds: 4 })).toMatch(
      /^HTTP\/1.1 408 .*did not arrive in time/s,
    );
    await sendRaw(portOf(server), [head, "[1,"], { end: true });
    expect(await sendRaw(portOf(server), ["GET / HTTP/1.1\r\nhost: "], { seconds: 4 })).toMatch(/^HTTP\/1.1 408 /);
    expect((await infer([1, 2, 3, 4])).status).toBe(200);
  });

  test("requests that are sent without waiting for answers: too many end their connection, and who goes leaves none behind", async () => {
    const one = "GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const many = await sendRaw(portOf(server), [one.repeat(20)], { seconds: 1 });
    expect(many.match(/HTTP\/1.1 200 /g)).toHaveLength(20);
    expect((await sendRaw(portOf(server), [one.repeat(600)], { seconds: 1 })).length).toBeLessThan(600 * 15);
    // Answers behind one that is being computed, whose client goes.
    await sendRaw(portOf(server), [one.replace("health/live", "models/model").repeat(60)], { seconds: 0 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await (await fetch(at("/metrics"))).text()).toMatch(/^sardonyx_requests_in_flight 1$/m);
  });

  test("other names of this machine and pages of other sites may not ask", async () => {
    const ask = (header: string) =>
      sendRaw(portOf(server), [`GET /v2 HTTP/1.1\r\n${header}\r\nconnection: close\r\n\r\n`]);
    expect(await ask("host: evil.example")).toMatch(/^HTTP\/1.1 421 /);
    expect(await ask("host: localhost\r\norigin: https://evil.example")).toMatch(/^HTTP\/1.1 403 .*--cors ORIGIN/s);
    expect(await ask(`host: localhost\r\norigin: http://localhost`)).toMatch(/^HTTP\/1.1 200 /);
  });

  test("tokens and origins, where they are asked for", async () => {
    const [token, origin] = ["0123456789abcdef", "https://good.example"];
    const own = await serve({
      models: [{ name: "model", path: file }],
      listen: { port: 0 },
      access: { tokens: ["another-one-of-them", token], origins: [origin] },
    });
    const get = (path: string, headers: Record<string, string> = {}) => fetch(`${own.url}${path}`, { headers });
    expect((await get("/v2/health/ready")).status).toBe(200);
    expect((await get("/metrics")).status).toBe(401);
    expect((await get("/v2", { authorization: `Bearer ${token}x` })).status).toBe(401);
    const reply = await get("/v2", { authorization: `Bearer ${token}`, origin });
    expect([reply.status, reply.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    const preflight = await fetch(`${own.url}/predict`, { method: "OPTIONS", headers: { origin } });
    expect([preflight.status, preflight.headers.get("access-control-allow-methods")]).toEqual([204, "GET, POST"]);
    await own.stop();
  });

  test("more requests than are answered at once are told to come again", async () => {
    writePretrained(join(folder, "llama"), "llama");
    const own = await serve({
      models: [{ name: "llama", path: join(folder, "llama") }],
      listen: { port: 0 },
      limits: { requests: 3 },
    });
    const asked = Array.from({ length: 8 }, () =>
      fetch(`${own.url}/v1/completions`, { method: "POST", body: '{"prompt":"the cat","max_tokens":40}' }),
    );
    const replies = await Promise.all(asked);
    const statuses = replies.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(replies.find(({ status }) => status === 503)?.headers.get("retry-after")).toBe("1");
    expect(await (await fetch(`${own.url}/metrics`)).text()).toMatch(/sardonyx_requests_refused_total [1-9]/);
    await own.stop();
  });

  test("a port in use, two of a name, and a file that is none are mistakes in words", async () => {
    const models = [{ name: "model", path: file }];
    const again = serve({ models, listen: { port: portOf(server) } });
    await expect(again).rejects.toThrow(/cannot listen on 127.0.0.1:\d+ \(EADDRINUSE\); choose another port/);
    await expect(serve({ models: [...models, ...models], listen: { port: 0 } })).rejects.toThrow(OptionError);
    await expect(serve({ models: [{ name: "a", path: join(folder, "none") }], listen: { port: 0 } })).rejects.toThrow(
      "there is no run, file or folder",
    );
  });
});

test("10,000 hostile requests: none is answered by a defect, and the server answers as before", async () => {
  const before = await (await infer([1, 2, 3, 4])).json();
  records.length = 0;
  const random = new Random(keyOf(2026));
  for (let sent = 0; sent < 10_000; sent += 50) {
    const all = Array.from({ length: 50 }, () =>
      sendRaw(portOf(server), [hostileRequest(random)], { end: true, seconds: 1 }),
    );
    for (const raw of await Promise.all(all)) expect(raw).not.toMatch(/^HTTP\/1.1 500|root:|node_modules/);
  }
  expect(records.filter(({ status }) => status === 500)).toEqual([]);
  expect(records.length).toBeGreaterThan(5000);
  const after = await infer([1, 2, 3, 4]);
  expect(await after.json()).toEqual(before);
}, 120_000);

test("the log has what was done, and nothing of what was sent", async () => {
  records.length = 0;
  await post("/predict/model", "[1234567,2,3,4]", { "x-request-id": "mine-1" });
  await post("/predict/model", '["secret",2,3,4]');
  await post("/secret/path", "{}");
  // What is logged is logged once the answer is on its way.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(records[0]).toMatchObject({ id: "mine-1", route: "/predict/:model", model: "model", status: 200, rows: 1 });
  expect(records[1]).toMatchObject({ status: 400, error: "DATA" });
  expect(JSON.stringify(records)).not.toMatch(/1234567|secret/);
});

test("a file that changes is served as a new version, without an answer that fails", async () => {
  const path = join(folder, "changing.onnx");
  writeClassifier(path, 1);
  const own = await serve({ models: [{ name: "changing", path }], listen: { port: 0 } });
  const ask = async () => {
    const reply = await fetch(`${own.url}/predict`, { method: "POST", body: "[1,2,3,4]" });
    return { status: reply.status, ...((await reply.json()) as { version: string; predictions: unknown }) };
  };
  const first = await ask();
  writeClassifier(path, 2);
  let last = first;
  const end = performance.now() + 15_000;
  while (last.version === "1" && performance.now() < end) {
    last = await ask();
    expect(last.status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(last.version).toBe("2");
  expect(last.predictions).not.toEqual(first.predictions);
  await own.stop();
}, 20_000);

test("an end finishes what began", async () => {
  writePretrained(join(folder, "writing"), "llama");
  const own = await serve({ models: [{ name: "writing", path: join(folder, "writing") }], listen: { port: 0 } });
  const asked = fetch(`${own.url}/v1/completions`, {
    method: "POST",
    body: '{"prompt":"the cat","max_tokens":100,"temperature":0}',
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const ended = own.stop();
  const reply = await asked;
  expect([reply.status, ((await reply.json()) as { choices: unknown[] }).choices.length]).toEqual([200, 1]);
  await ended;
  await expect(fetch(`${own.url}/`)).rejects.toThrow();
});
