/** `sardonyx serve --workers`: workers that are killed, stopped or never start lose no answer that is not their own, and make none wrong. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { request as secureRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeClassifier } from "../src/serve/testing/made-models.ts";
import { sendRaw } from "../src/serve/testing/raw-client.ts";
import { commandLine } from "./command-line.ts";

const { folder, run, start } = commandLine();
type Started = ReturnType<typeof start>;
const started = new Set<Started>();
afterAll(() => {
  for (const own of started) own.kill("SIGKILL");
});
beforeAll(() => writeClassifier(join(folder, "model.onnx")));

type Line = Readonly<Record<string, unknown>>;

/** A server with its records as they come. */
class Server {
  readonly records: Line[] = [];
  readonly own: Started;
  constructor(...args: readonly string[]) {
    this.own = start(["serve", ...args, "--port", "0", "--json", "--quiet"], (line) =>
      this.records.push(JSON.parse(line)),
    );
    started.add(this.own);
  }
  of(type: string): readonly Line[] {
    return this.records.filter((record) => record["type"] === type);
  }
  /** Waits until there are so many records of a type, and gives them. */
  async until(type: string, count = 1): Promise<readonly Line[]> {
    for (const end = Date.now() + 40_000; this.of(type).length < count; await wait(20))
      if (Date.now() > end) throw new Error(`no ${type}, number ${count}: ${JSON.stringify(this.records)}`);
    return this.of(type);
  }
  async url(): Promise<string> {
    return String((await this.until("serving"))[0]?.["url"]);
  }
  async port(): Promise<number> {
    return Number(new URL(await this.url()).port);
  }
  /** Ids of the processes of worker 1 and the others, the latest of each. */
  workers(): readonly number[] {
    const latest = new Map(this.of("worker-serving").map((record) => [record["worker"], Number(record["process"])]));
    return [...latest].sort(([a], [b]) => Number(a) - Number(b)).map(([, id]) => id);
  }
}

const rowOf = (i: number) => [i % 7, (i * 3) % 5, i % 3, 1];
const bodyOf = (i: number) => JSON.stringify([rowOf(i)]);

/** Sends row i, and gives the answer's status and numbers. Rejects where the connection ends before the answer is whole. */
const ask = (port: number, i: number, agent?: Agent): Promise<{ readonly status: number; readonly output: number[] }> =>
  new Promise((resolve, reject) => {
    const body = bodyOf(i);
    const headers = { "content-type": "application/json", "content-length": body.length };
    const own = request({ port, host: "127.0.0.1", method: "POST", path: "/predict", agent, headers }, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      reply.on("error", reject);
      reply.on("end", () => {
        const { predictions } = JSON.parse(text) as { predictions?: [{ output: number[] }] };
        resolve({ status: reply.statusCode ?? 0, output: predictions?.[0].output ?? [] });
      });
    });
    own.on("error", reject);
    own.end(body);
  });

/** Clients that ask, each as soon as it has its answer, until they are told to end. */
function load(port: number, clients: number, expected: readonly (readonly number[])[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const found = { right: 0, wrong: 0, refused: 0, lost: 0, isOver: false };
  const all = Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let i = client; !found.isOver; i++) {
        const right = expected[i % expected.length] ?? [];
        try {
          const { status, output } = await ask(port, i % expected.length, agent);
          // Sums of 8 terms in another order, as other batches have them.
          const isRight = output.length === 3 && output.every((own, j) => Math.abs(own - (right[j] ?? 0)) < 1e-5);
          if (status !== 200) found.refused++;
          else if (isRight) found.right++;
          else found.wrong++;
        } catch {
          found.lost++;
          await wait(10);
        }
      }
    }),
  );
  const end = async () => {
    found.isOver = true;
    await all;
    agent.destroy();
    return found;
  };
  return { found, end };
}

/** What /metrics says of a name, over all labels. */
async function counted(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))].map(([, value]) =>
    Number(value),
  );
  return values.reduce((sum, value) => sum + value, 0);
}
const answered = 'sardonyx_requests_total\\{route="/predict".*status="200"\\}';

const isAlive = (id: number): boolean => {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
};

describe("two workers", () => {
  const expected: number[][] = [];
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = new Server("model.onnx", "--workers", "2");
    port = await server.port();
    for (let i = 0; i < 35; i++) expected.push((await ask(port, i)).output);
  }, 60_000);

  test("share the connections, and count as one", async () => {
    const { end } = load(port, 8, expected);
    await wait(500);
    const { right, wrong, refused, lost } = await end();
    expect({ wrong, refused, lost }).toEqual({ wrong: 0, refused: 0, lost: 0 });
    expect(right).toBeGreaterThan(20);
    await wait(400);
    expect(await counted(port, answered)).toBe(35 + right);
    expect(await counted(port, "sardonyx_model_loaded")).toBe(2);
    expect(await counted(port, "sardonyx_workers")).toBe(2);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text.match(/^# TYPE sardonyx_requests_total /gm)).toHaveLength(1);
  });

  test("one that is killed under load is replaced: no wrong answer, others go on, its counts are kept", async () => {
    await wait(400);
    const before = await counted(port, answered);
    const { found, end } = load(port, 8, expected);
    await wait(300);
    const early = found.right;
    // Workers tell their counts five times a second.
    await wait(500);
    const [first = 0, second = 0] = server.workers();
    process.kill(first, "SIGKILL");
    await server.until("worker-ended");
    const then = found.right;
    await server.until("worker-serving", 3);
    const { right, wrong, refused, lost } = await end();
    expect({ wrong, refused }).toEqual({ wrong: 0, refused: 0 });
    // Those whose connection was the dead worker's, and no other.
    expect(lost).toBeLessThanOrEqual(8);
    // The other answered while the new one was started.
    expect(right).toBeGreaterThan(then);
    expect(server.workers()[1]).toBe(second);
    expect(server.of("worker-ended")[0]).toMatchObject({
      worker: 1,
      process: first,
      reason: "it was ended by SIGKILL",
    });
    await wait(400);
    expect(early).toBeGreaterThan(0);
    expect(await counted(port, answered)).toBeGreaterThanOrEqual(before + early);
    expect(await counted(port, "sardonyx_worker_restarts_total")).toBe(1);
  }, 60_000);

  test("connections at one that stands still are answered by the other once it is killed", async () => {
    const [first = 0, second = 0] = server.workers();
    for (const id of [first, second]) process.kill(id, "SIGSTOP");
    const asked = Promise.all(Array.from({ length: 6 }, (_, i) => ask(port, i)));
    await wait(200);
    process.kill(second, "SIGKILL");
    process.kill(first, "SIGCONT");
    const answers = await asked;
    expect(answers.map(({ output }) => output)).toEqual(
      expected.slice(0, 6).map((own) => own.map((x) => expect.closeTo(x, 5))),
    );
    const [ended] = (await server.until("worker-ended", 2)).slice(-1);
    expect(ended).toMatchObject({ worker: 2, process: second });
    await server.until("worker-serving", 4);
  }, 60_000);

  test("half-sent bodies and clients that read nothing hold nobody up", async () => {
    const head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n";
    const halves = Array.from({ length: 3 }, () => sendRaw(port, [`${head}[1,`], { seconds: 1.5 }));
    // An answer of 100,000 rows is more than the system takes in for a reader that never reads.
    const rows = 100_000;
    const header = `{"inputs":[{"name":"input","shape":[${rows},4],"datatype":"FP32","parameters":{"binary_data_size":${16 * rows}}}]}`;
    const unread = connect(port, "127.0.0.1").pause();
    unread.write(`POST /v2/models/model/infer HTTP/1.1\r\nhost: localhost\r\ninference-header-content-length: ${header.length}\r\ncontent-length: ${header.length + 16 * rows}\r\n\r\n${header}`); // biome-ignore format: one line
    unread.write(new Uint8Array(16 * rows));
    const greedy = await sendRaw(port, ["GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(2000)]);
    expect(greedy.length).toBeLessThan(100_000);
    const { end } = load(port, 4, expected);
    const broken = Array.from({ length: 6 }, () => sendRaw(port, [`${head}[1,`], { end: true, seconds: 1 }));
    await Promise.all([...broken, ...halves]);
    const { right, wrong, refused, lost } = await end();
    expect({ wrong, refused, lost }).toEqual({ wrong: 0, refused: 0, lost: 0 });
    expect(right).toBeGreaterThan(0);
    unread.destroy();
    expect(server.of("worker-ended")).toHaveLength(2);
  }, 20_000);

  test("its port is no other's", async () => {
    const { code, stderr } = await run("serve", "model.onnx", "--port", String(port), "--workers", "2");
    expect([code, stderr]).toEqual([2, expect.stringContaining(`cannot listen on 127.0.0.1:${port} (EADDRINUSE)`)]);
  });

  test("SIGTERM lets all finish what they began, with status 0, and leaves no process", async () => {
    const workers = server.workers();
    const { found, end } = load(port, 8, expected);
    await wait(300);
    server.own.kill("SIGTERM");
    const { code, stderr } = await server.own.ended;
    const { wrong } = await end();
    expect([code, wrong]).toEqual([0, 0]);
    expect(found.right).toBeGreaterThan(0);
    expect(stderr).toContain("Finishing the requests under way; again to stop at once.");
    expect(workers.map(isAlive)).toEqual([false, false]);
  }, 20_000);
});

test.each(["none.onnx", "broken.onnx"])(
  "%s, which cannot be loaded, ends the command as without workers",
  async (name) => {
    writeFileSync(join(folder, "broken.onnx"), "no model");
    const alone = await run("serve", name, "--port", "0");
    const several = await run("serve", name, "--port", "0", "--workers", "2");
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringMatching(/^sardonyx: .+ \[[A-Z]+\]$/m) });
    expect([several.code, several.stderr]).toEqual([alone.code, alone.stderr]);
  },
  60_000,
);

test.each([
  ["--workers", "0"],
  ["--threads", "half"],
])("%s %s is a mistake in words", async (flag, value) => {
  const { code, stderr } = await run("serve", "model.onnx", flag, value);
  expect([code, stderr]).toEqual([2, expect.stringContaining(`${flag} is "${value}"; pass a whole number from 1`)]);
});

test("with TLS, a token that is made once, and a first process that is killed: its workers end", async () => {
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(folder, name)) as [string, string];
  execFileSync("openssl", [..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost".split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" }); // biome-ignore format: one line
  const server = new Server("model.onnx", "--workers", "2", "--cert", cert, "--key", key, "--token-file", "tokens");
  const url = new URL(await server.url());
  expect(url.protocol).toBe("https:");
  const token = readFileSync(join(folder, "tokens"), "utf8").trim();
  const statusOf = (authorization: string) =>
    new Promise((resolve, reject) => {
      const headers = { host: "localhost", authorization };
      const options = {
        port: url.port,
        host: "127.0.0.1",
        servername: "localhost",
        path: "/v2",
        headers,
        ca: readFileSync(cert),
      };
      secureRequest(options, (reply) => resolve(reply.resume().statusCode)).on("error", reject).end(); // biome-ignore format: one line
    });
  for (let i = 0; i < 4; i++) expect(await statusOf(`Bearer ${token}`)).toBe(200);
  expect(await statusOf("Bearer another")).toBe(401);
  const workers = server.workers();
  expect(workers.map(isAlive)).toEqual([true, true]);
  server.own.kill("SIGKILL");
  await server.own.ended;
  for (const end = Date.now() + 5000; workers.some(isAlive) && Date.now() < end; ) await wait(50);
  expect(workers.map(isAlive)).toEqual([false, false]);
}, 60_000);
