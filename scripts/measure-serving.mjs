/**
 * The load generator of `sardonyx serve`: LeNet, ResNet-50 and a small GPT (GPT-2's form, 4 layers of 256) with random weights, asked by 1, 8 and
 * 64 clients on loopback that each wait for their answer, beside the raw model at the batch that the server came to. Server and raw model take turns; beside the
 * ratio of their rates stands that of the processor time of a sample, which other work on the machine changes less, and where the clients' own is not counted.
 * npm run build && node scripts/measure-serving.mjs [--seconds 5] [--models lenet,resnet50,gpt] [--clients 1,8,64] [--turns 3] [--rows 1] [--workers 1] [--minutes 0] [--kill 0] [--hostile 0]
 * With --rows each request has so many samples. With --minutes, a soak after it: all models at once for so long, with the server's memory each minute; with --kill, a worker is killed
 * every so many seconds of it: connections that were its own are lost, and no answer is wrong. With --hostile, so many requests that
 * nobody of good faith sends.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  encodeOnnx,
  encodeSafetensors,
  keyOf,
  modelFromConfig,
  models,
  predictor,
  rowDecoder,
  Tensor,
  trainBpe,
} from "../dist/src/index.js";

const { values: given } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    models: { type: "string", default: "lenet,resnet50,gpt" },
    clients: { type: "string", default: "1,8,64" },
    turns: { type: "string", default: "3" },
    rows: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    minutes: { type: "string", default: "0" },
    kill: { type: "string", default: "0" },
    hostile: { type: "string", default: "0" },
  },
});
const seconds = Number(given.seconds);
/** Samples in a request. */
const rows = Number(given.rows);
const workers = Number(given.workers);
if (Number(given.kill) > 0 && workers < 2) throw new Error("--kill kills workers; start some by --workers 2");
const folder = mkdtempSync(join(tmpdir(), "sardonyx-serving-"));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const quantile = (numbers, share) =>
  sorted(numbers)[Math.min(numbers.length - 1, Math.floor(share * numbers.length))] ?? Number.NaN;
const median = (numbers) => quantile(numbers, 0.5);

/** A model of images: its file, the raw model, and requests as bytes. */
function imageModel(name, preset, shape, classes) {
  const { build } = models.presetOf(preset);
  const model = build();
  const inputs = { dtype: "float32", shape: [1, ...shape] };
  model.initialize(keyOf(1), inputs);
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, encodeOnnx(model, { inputs }).bytes);
  const each = shape.reduce((a, b) => a * b, 1);
  const numbers = Float32Array.from({ length: each }, (_, i) => ((i * 7919) % 255) / 255);
  const header = Buffer.from(
    JSON.stringify({
      inputs: [
        { name: "input", shape: [rows, ...shape], datatype: "FP32", parameters: { binary_data_size: 4 * each * rows } },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  const run = predictor(model, { snapshot: true, compile: { spinning: false } });
  const bytes = Buffer.from(numbers.buffer);
  return {
    name,
    path,
    unit: "samples",
    ask: {
      path: `/v2/models/${name}/infer`,
      headers: { "content-type": "application/octet-stream", "inference-header-content-length": header.length },
      body: Buffer.concat([header, ...Array.from({ length: rows }, () => bytes)]),
    },
    done: () => rows,
    /** Whether two answers are the same but for the order of sums: the scores are the last bytes. */
    same(one, other) {
      const scores = (bytes) => new Float32Array(Uint8Array.from(bytes.subarray(-4 * rows * classes)).buffer);
      const right = scores(other);
      return one.length === other.length && scores(one).every((own, i) => Math.abs(own - right[i]) <= 1e-4 * (1 + Math.abs(right[i]))); // biome-ignore format: one line
    },
    /** Samples a second at a batch, for some seconds, and the processor time of each. */
    async raw(batch, time) {
      const data = new Float32Array(batch * each);
      for (let i = 0; i < batch; i++) data.set(numbers, i * each);
      const x = new Tensor("float32", [batch, ...shape], data);
      await run(x);
      const [begun, processor] = [performance.now(), ownProcessor()];
      let count = 0;
      while (performance.now() - begun < 1000 * time) {
        await run(x);
        count += batch;
      }
      return { rate: count / ((performance.now() - begun) / 1000), processor: (ownProcessor() - processor) / count };
    },
  };
}

const [written, context] = [64, 256];

/** A small language model in a folder of Hugging Face's, and steps of its decoder by themselves. */
function textModel(name) {
  const path = join(folder, name);
  mkdirSync(path);
  const tokenizer = trainBpe("the quick brown fox jumps over the lazy dog", { vocabulary: 300 });
  const config = {
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    vocab_size: 8192,
    n_embd: 256,
    n_layer: 4,
    n_head: 4,
    n_positions: context,
  };
  const { build, inputs } = modelFromConfig(config);
  const model = build();
  model.initialize(keyOf(1), inputs);
  const tensors = [...model.parameters()].flatMap(([own, { value }]) => (value ? [[own, value]] : []));
  writeFileSync(join(path, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  writeFileSync(join(path, "tokenizer.json"), tokenizer.json());
  const prompt = Array.from({ length: 32 }, (_, i) => i % 200);
  const body = Buffer.from(JSON.stringify({ model: name, prompt, max_tokens: written, temperature: 0 }));
  return {
    name,
    path,
    unit: "tokens",
    ask: { path: "/v1/completions", headers: { "content-type": "application/json" }, body },
    done: (answer) => JSON.parse(answer).usage.completion_tokens,
    // Which token is the most probable may depend on the order of sums, with random weights.
    same: (one, other) => JSON.parse(one).usage.completion_tokens === JSON.parse(other).usage.completion_tokens,
    /** Tokens a second of prompts that are read and steps of the decoder, as a request has them. */
    async raw(batch, time) {
      const decoder = await rowDecoder(model, { capacity: context, rows: batch, compile: { spinning: false } });
      await decoder.warm();
      const [begun, processor] = [performance.now(), ownProcessor()];
      let count = 0;
      while (performance.now() - begun < 1000 * time) {
        const rows = Array.from({ length: batch }, () => decoder.join());
        for (const row of rows) await decoder.read(row, prompt);
        for (let step = 1; step < written; step++) await decoder.step(rows.map((row) => ({ row, token: step })));
        for (const row of rows) decoder.leave(row);
        count += batch * written;
      }
      const found = {
        rate: count / ((performance.now() - begun) / 1000),
        processor: (ownProcessor() - processor) / count,
      };
      await decoder.release();
      return found;
    },
  };
}

/** Sends one request, and gives its body. */
const send = (url, agent, { path, headers, body }) =>
  new Promise((resolve, reject) => {
    const own = request(
      `${url}${path}`,
      { method: "POST", agent, headers: { ...headers, "content-length": body.length } },
      (reply) => {
        const parts = [];
        reply.on("data", (part) => parts.push(part));
        reply.on("end", () => {
          const whole = Buffer.concat(parts);
          if (reply.statusCode === 200) resolve(whole);
          else reject(new Error(`status ${reply.statusCode}: ${whole}`));
        });
        reply.on("error", reject);
      },
    );
    own.on("error", reject);
    own.end(body);
  });

/** So many clients, each of which sends when it has its answer; answers are compared with the first of the model. */
async function load(url, model, clients, time) {
  model.answer ??= await send(url, undefined, model.ask);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latencies = [];
  let [count, failed, lost, wrong] = [0, 0, 0, 0];
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - begun < 1000 * time) {
        const start = performance.now();
        try {
          const answer = await send(url, agent, model.ask);
          count += model.done(answer);
          latencies.push(performance.now() - start);
          if (!model.same(answer, model.answer)) wrong++;
        } catch (error) {
          // The connection ended before there was a whole answer.
          if (error.code === "ECONNRESET" && Number(given.kill) > 0) lost++;
          else if (failed++ === 0) console.error(`${model.name}: ${error.message}`);
        }
      }
    }),
  );
  const elapsed = (performance.now() - begun) / 1000;
  agent.destroy();
  return { rate: count / elapsed, time: elapsed, latencies, failed, lost, wrong };
}

/** A number of the server's metrics; workers tell theirs five times a second. */
async function metric(url, name) {
  if (workers > 1) await setTimeout(250);
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, value = "0"] = new RegExp(`^${name.replaceAll(/[{}]/g, "\\$&")} (.+)$`, "m").exec(text) ?? [];
  return Number(value);
}

/** Processor time of this process, in seconds. */
const ownProcessor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const batchMetric = { samples: "sardonyx_batch_rows", tokens: "sardonyx_decode_texts" };
async function batchesOf(url, { name, unit }) {
  const of = (what) => metric(url, `${batchMetric[unit]}_${what}{model="${name}"}`);
  return { sum: await of("sum"), count: await of("count") };
}

async function serve(served) {
  const program = fileURLToPath(new URL("../bin/sardonyx.mjs", import.meta.url));
  const paths = served.map(({ name, path }) => `${name}=${path}`);
  const child = spawn(
    process.execPath,
    [program, "serve", ...paths, "--port", "0", "--workers", String(workers), "--json", "--quiet"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  process.on("exit", () => child.kill("SIGKILL"));
  /** Processes of the workers by their numbers, the latest of each. */
  const processes = new Map();
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const record = JSON.parse(line);
      if (record.type === "serving") resolve(record.url);
      if (record.type === "worker-serving") processes.set(record.worker, record.process);
      if (record.type === "worker-ended") processes.delete(record.worker);
    });
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const stop = () => new Promise((resolve) => child.on("exit", resolve).kill("SIGTERM"));
  return { url, stop, processes };
}

const shown = (number, digits = 0) =>
  number.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });

async function measure(url, model, clients) {
  await load(url, model, clients, 1);
  const turns = [];
  for (let turn = 0; turn < Number(given.turns); turn++) {
    const before = await batchesOf(url, model);
    const processor = await metric(url, "process_cpu_seconds_total");
    const served = await load(url, model, clients, seconds);
    const after = await batchesOf(url, model);
    const batch = (after.sum - before.sum) / Math.max(1, after.count - before.count);
    const perServed = ((await metric(url, "process_cpu_seconds_total")) - processor) / (served.rate * served.time);
    const raw = await model.raw(Math.max(1, Math.round(batch)), seconds);
    const ratios = { ratio: served.rate / raw.rate, processor: raw.processor / perServed };
    turns.push({ ...served, raw: raw.rate, batch, ...ratios });
  }
  const latencies = turns.flatMap((own) => own.latencies);
  const failed = turns.reduce((sum, own) => sum + own.failed, 0);
  console.log(
    `| ${model.name} | ${clients} | ${shown(median(turns.map(({ rate }) => rate)))} ${model.unit} | ${shown(median(turns.map(({ batch }) => batch)), 1)} | ${shown(median(turns.map(({ raw }) => raw)))} | ${shown(100 * median(turns.map(({ ratio }) => ratio)))} % | ${shown(100 * median(turns.map((own) => own.processor)))} % | ${shown(median(latencies), 1)} | ${shown(quantile(latencies, 0.99), 1)} | ${failed} |`,
  );
}

/** All models at once for some minutes, each with 8 clients, while workers are killed in turns where that is asked for. */
async function soak({ url, processes }, served, minutes) {
  let killed = 0;
  const killing = Number(given.kill) > 0 && setInterval(() => {
    const [number, id] = [...processes][killed % processes.size] ?? [];
    if (id === undefined) return;
    process.kill(id, "SIGKILL");
    processes.delete(number);
    killed++;
  }, 1000 * Number(given.kill)); // biome-ignore format: one line
  console.log(
    "\n| Minute | Answers | Wrong | Failed | Killed | Connections lost | p99 ms | Server's memory |\n| --- | --- | --- | --- | --- | --- | --- | --- |",
  );
  for (let minute = 1; minute <= minutes; minute++) {
    killed = 0;
    const all = await Promise.all(served.map((model) => load(url, model, 8, 60)));
    const latencies = all.flatMap((own) => own.latencies);
    const [failed, lost, wrong] = ["failed", "lost", "wrong"].map((what) =>
      all.reduce((sum, own) => sum + own[what], 0),
    );
    const memory = await metric(url, "process_resident_memory_bytes");
    console.log(
      `| ${minute} | ${shown(latencies.length)} | ${wrong} | ${failed} | ${killed} | ${lost} | ${shown(quantile(latencies, 0.99), 1)} | ${shown(memory / 2 ** 20)} MiB |`,
    );
  }
  clearInterval(killing);
}

/** Requests that nobody of good faith sends; the server is asked as before afterwards. */
async function hostile(url, model, count) {
  const { register } = await import("tsx/esm/api");
  register();
  const { hostileRequest } = await import("../src/serve/testing/hostile.ts");
  const { sendRaw } = await import("../src/serve/testing/raw-client.ts");
  const { keyOf: key, Random } = await import("../src/core/random.ts");
  const random = new Random(key(7));
  const port = Number(new URL(url).port);
  const statuses = {};
  const before = (await send(url, undefined, model.ask)).toString("hex");
  for (let sent = 0; sent < count; sent += 50) {
    const replies = await Promise.all(
      Array.from({ length: Math.min(50, count - sent) }, () =>
        sendRaw(port, [hostileRequest(random)], { end: true, seconds: 2 }),
      ),
    );
    for (const reply of replies) {
      const status = /^HTTP\/1.1 (\d+)/.exec(reply)?.[1] ?? "none";
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }
  const after = (await send(url, undefined, model.ask)).toString("hex");
  console.log(
    `\n${shown(count)} hostile requests, by status: ${JSON.stringify(statuses)}; answers before and after are ${before === after ? "the same" : "DIFFERENT"}`,
  );
}

const makers = {
  lenet: () => imageModel("lenet", "lenet5", [1, 28, 28], 10),
  resnet50: () => imageModel("resnet50", "resnet50", [3, 224, 224], 1000),
  gpt: () => textModel("gpt"),
};
const served = given.models.split(",").map((name) => makers[name]());
const server = await serve(served);
const { url, stop } = server;
console.log(
  "| Model | Clients | Served a second | Batch | Raw a second | Ratio | Of processor time | Median ms | p99 ms | Failed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
);
for (const model of served)
  for (const clients of given.clients.split(",").map(Number)) await measure(url, model, clients);
if (Number(given.minutes) > 0) await soak(server, served, Number(given.minutes));
if (Number(given.hostile) > 0) await hostile(url, served[0], Number(given.hostile));
await stop();
