/** A server whose connections are handed to it keeps the limits of one that listens. */
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listenAt } from "../../storage/listen.node.ts";
import type { ModelServer } from "../http/server.node.ts";
import { serve } from "../serve.node.ts";
import { writeClassifier } from "../testing/made-models.ts";
import { sendRaw } from "../testing/raw-client.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-worker-"));
const door = createServer((connection) => server?.take(connection));
let server: ModelServer | undefined;
let port: number;

beforeAll(async () => {
  const authority = await listenAt(door, { port: 0 });
  port = Number(authority.split(":")[1]);
  const path = join(folder, "model.onnx");
  writeClassifier(path);
  await serve({
    models: [{ name: "model", path }],
    listen: { port: 0 },
    limits: { arrival: 1 },
    worker: {
      ...{ number: 1, authority, threads: 1, signal: new AbortController().signal },
      ...{ fail: () => undefined, release: () => undefined },
      metrics: async () => "of all\n",
      begin: (begun) => {
        server = begun;
      },
    },
  });
});
afterAll(() => {
  door.close();
  rmSync(folder, { recursive: true });
});

/** The headers of an answer that was read to its end. */
const get = (path: string, agent: Agent) =>
  new Promise<IncomingHttpHeaders>((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, agent }, (reply) => reply.resume().on("end", () => resolve(reply.headers)))
      .on("error", reject)
      .end();
  });

test("it is called as its primary is, and its metrics are those of all", async () => {
  expect(server?.url).toBe(`http://127.0.0.1:${port}`);
  expect(await (await fetch(`${server?.url}/metrics`)).text()).toBe("of all\n");
});

test("a request that does not come in time is ended", async () => {
  const head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n[1,";
  expect(await sendRaw(port, [head], { seconds: 4 })).toMatch(/^HTTP\/1.1 408 /);
});

test("a connection is closed after 1,000 requests, so that its client comes back to another worker", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const closing: number[] = [];
  for (let i = 1; i <= 1001; i++) if ((await get("/v2/health/live", agent)).connection === "close") closing.push(i);
  agent.destroy();
  expect(closing).toEqual([1000]);
}, 20_000);

test("its end closes connections that are idle", async () => {
  const idle = sendRaw(port, ["GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"], { seconds: 20 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const begun = performance.now();
  await server?.stop();
  expect(await idle).toMatch(/^HTTP\/1.1 200 /);
  expect(performance.now() - begun).toBeLessThan(10_000);
});
