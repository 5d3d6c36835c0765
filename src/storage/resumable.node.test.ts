/** Downloads that go on where they ended, against real servers on this machine that do what servers do at their worst. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { FileError } from "../core/errors.ts";
import type { DownloadProgress } from "./download.node.ts";
import { persistently, RequestError, request, retryAfter, textOf } from "./http.ts";
import { downloadResumably, type ResumableOptions, type ServedFile } from "./resumable.node.ts";
import { type Answer, type Loopback, sendFile, startLoopback } from "./testing/loopback.ts";

const content = new Uint8Array(300_000).map((_, i) => (i * 31) % 251);
const other = content.map((byte) => byte ^ 1);
const sha256 = createHash("sha256").update(content).digest("hex");

let server: Loopback;
let answer: Answer;
let folder: string;
let path: string;

beforeAll(async () => {
  server = await startLoopback((...asked) => answer(...asked));
});
afterAll(() => server.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sardonyx-resumable-"));
  path = join(folder, "blobs", "file");
  server.asked.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (): ServedFile => ({ name: "model", url: `${server.address}/file`, bytes: content.length, sha256 });
const download = (options: Partial<ResumableOptions> = {}) =>
  downloadResumably(path, file(), { stallSeconds: 5, attempts: 3, ...options });
const begun = (bytes: Uint8Array) => {
  mkdirSync(join(folder, "blobs"));
  writeFileSync(`${path}.incomplete`, bytes);
};
const isWhole = () => readFileSync(path).equals(content);
const left = () => readdirSync(join(folder, "blobs"));
const ranges = () => server.asked.map(({ headers }) => headers.range);

test("a file arrives, is verified and named, and is not asked for again", async () => {
  answer = (_, asked, response) => sendFile(content, asked, response);
  const progress: DownloadProgress[] = [];
  await download({ onProgress: (own) => progress.push(own) });
  expect(isWhole()).toBe(true);
  expect(left()).toEqual(["file"]);
  expect(progress[0]).toEqual({ name: "model", received: 0, total: content.length });
  expect(progress.at(-1)).toEqual({ name: "model", received: content.length, total: content.length });
  await download();
  expect(server.asked).toHaveLength(1);
  expect(server.asked[0]?.headers["accept-encoding"]).toBe("identity");
});

test("a connection that is cut goes on from there, if the file is the same", async () => {
  let cuts = 0;
  answer = (_, asked, response) =>
    sendFile(content, asked, response, { etag: '"a"', cutAfter: cuts++ < 2 ? 100_000 : undefined });
  await download({ attempts: 2 });
  expect(isWhole()).toBe(true);
  const [first, second, third] = server.asked.map(({ headers }) => headers);
  expect(first?.range).toBe(undefined);
  expect(second).toMatchObject({ range: "bytes=100000-", "if-range": '"a"' });
  expect(third).toMatchObject({ range: "bytes=200000-", "if-range": '"a"' });
});

test("a later call goes on from what an earlier one left", async () => {
  begun(content.subarray(0, 120_000));
  answer = (_, asked, response) => sendFile(content, asked, response);
  const progress: DownloadProgress[] = [];
  await download({ onProgress: (own) => progress.push(own) });
  expect(progress[0]?.received).toBe(120_000);
  expect([isWhole(), ...ranges()]).toEqual([true, "bytes=120000-"]);
});

test("a server without ranges sends it all again", async () => {
  begun(content.subarray(0, 120_000));
  answer = (_, asked, response) => sendFile(content, asked, response, { ignoresRanges: true });
  await download();
  expect(isWhole()).toBe(true);
});

test.each([
  ["of another file", other.subarray(0, 120_000), ["bytes=120000-", undefined]],
  ["longer than the file", Buffer.concat([content, content]), [undefined]],
  ["of the same length and another content", other, [undefined]],
])("what was left %s is thrown away", async (_, bytes, expected) => {
  begun(bytes);
  answer = (_, asked, response) => sendFile(content, asked, response);
  await download();
  expect([isWhole(), ranges()]).toEqual([true, expected]);
});

test("a part that was not asked for is not appended", async () => {
  begun(content.subarray(0, 1000));
  let first = true;
  answer = (_, asked, response) => {
    if (!first) return sendFile(content, asked, response);
    first = false;
    response.writeHead(206, { "content-range": `bytes 0-${content.length - 1}/${content.length}` }).end(content);
  };
  await download();
  expect([isWhole(), ranges()]).toEqual([true, ["bytes=1000-", undefined]]);
});

test("a file that changes while it arrives is begun again, and refused for its checksum", async () => {
  let count = 0;
  answer = (_, asked, response) =>
    count++ === 0
      ? sendFile(content, asked, response, { etag: '"a"', cutAfter: 100_000 })
      : sendFile(other, asked, response, { etag: '"b"' });
  await expect(download()).rejects.toThrow(/model arrived damaged: its sha256 is [0-9a-f]{64}, expected/);
  expect(server.asked[1]?.headers).toMatchObject({ range: "bytes=100000-", "if-range": '"a"' });
  expect(left()).toEqual([]);
});

test("a damaged file never gets its name, nor one that is too long", async () => {
  answer = (_, asked, response) => sendFile(other, asked, response);
  await expect(download()).rejects.toThrow(FileError);
  expect(left()).toEqual([]);
  answer = (_, __, response) => response.end(Buffer.concat([content, content]));
  await expect(download()).rejects.toThrow("more than the expected 300000 bytes arrived");
  expect(existsSync(path)).toBe(false);
});

test.each([500, 503, 429, 408])("after status %i another try follows", async (status) => {
  let count = 0;
  answer = (_, asked, response) =>
    count++ === 0 ? response.writeHead(status, { "retry-after": "0" }).end() : sendFile(content, asked, response);
  await download();
  expect([isWhole(), count]).toEqual([true, 2]);
});

test("tries end, and what has arrived is kept", async () => {
  let sent = false;
  answer = (_, asked, response) => {
    if (sent) return void response.destroy();
    sent = true;
    sendFile(content, asked, response, { cutAfter: 50_000 });
  };
  await expect(download({ attempts: 2 })).rejects.toThrow(RequestError);
  expect(server.asked).toHaveLength(2);
  expect(readFileSync(`${path}.incomplete`)).toHaveLength(50_000);
  expect(left()).toEqual(["file.incomplete"]);
});

test("silence is given up", async () => {
  answer = (_, __, response) => response.writeHead(200).write(content.subarray(0, 1000));
  await expect(download({ stallSeconds: 0.2, attempts: 1 })).rejects.toThrow("nothing arrived for 0.2 s");
  answer = () => undefined;
  await expect(download({ stallSeconds: 0.2, attempts: 1 })).rejects.toThrow("nothing arrived for 0.2 s");
});

test("two downloads at once ask once", async () => {
  answer = (_, asked, response) => void setTimeout(() => sendFile(content, asked, response), 300);
  await Promise.all([download(), download()]);
  expect([isWhole(), server.asked.length, left()]).toEqual([true, 1, ["file"]]);
});

// /dev/full takes no byte, as a full disk does.
test.skipIf(!existsSync("/dev/full"))("a full disk is named, and what has arrived stays", async () => {
  begun(content);
  rmSync(`${path}.incomplete`);
  symlinkSync("/dev/full", `${path}.incomplete`);
  answer = (_, asked, response) => sendFile(content, asked, response);
  await expect(download()).rejects.toThrow(
    `cannot write ${path}.incomplete (ENOSPC): what has arrived is kept, and the next download goes on from there; the disk is full; free some space`,
  );
  expect(left()).toEqual(["file.incomplete"]);
});

test("git's names of files are checksums too", async () => {
  // `printf hello | git hash-object --stdin`
  const gitBlob = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";
  answer = (_, asked, response) => sendFile(Buffer.from("hello"), asked, response);
  const hello = { name: "hello", url: `${server.address}/hello`, bytes: 5, gitBlob };
  await downloadResumably(path, hello, { stallSeconds: 5, attempts: 1 });
  const wrong = downloadResumably(`${path}2`, { ...hello, gitBlob: "0".repeat(40) }, { stallSeconds: 5, attempts: 1 });
  await expect(wrong).rejects.toThrow(`its gitBlob is ${gitBlob}, expected 0000`);
});

test("a token goes to the server that was asked, and not where that redirects to", async () => {
  const elsewhere = await startLoopback((_, __, response) => response.end("there"));
  answer = (asked, _, response) => {
    const to = asked === "/file" ? "/moved" : `${elsewhere.address}/file`;
    response.writeHead(302, { location: to, "x-linked-etag": "e" }).end();
  };
  const reply = await request(`${server.address}/file`, { token: "secret", stallSeconds: 5 });
  expect([await textOf(reply, 10), reply.own.get("x-linked-etag")]).toEqual(["there", "e"]);
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer secret", "Bearer secret"]);
  expect(elsewhere.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  elsewhere.close();
});

test("redirects in a circle and out of HTTP end in a sentence", async () => {
  answer = (_, __, response) => response.writeHead(302, { location: "/again" }).end();
  await expect(request(`${server.address}/`, { stallSeconds: 5 })).rejects.toThrow("redirects more than 8 times");
  answer = (_, __, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
  await expect(request(`${server.address}/`, { stallSeconds: 5 })).rejects.toThrow("redirects to file:");
});

test("an answer without end is not read to its end", async () => {
  answer = (_, asked, response) => sendFile(content, asked, response);
  const reply = await request(`${server.address}/`, { stallSeconds: 5 });
  await expect(textOf(reply, 1000)).rejects.toThrow("more than 1000 bytes");
});

test("a server says how long to wait, in seconds or as a date; too long is too long", async () => {
  const now = Date.parse("Wed, 21 Oct 2015 07:28:00 GMT");
  const of = (value: string) => retryAfter(new Headers({ "retry-after": value }), now);
  expect([of("7"), of("Wed, 21 Oct 2015 07:28:30 GMT"), of("soon")]).toEqual([7, 30, undefined]);
  const attempt = vi.fn(async () => {
    throw new RequestError("busy", "passing", { status: 429, headers: new Headers({ "retry-after": "3600" }) });
  });
  await expect(persistently(attempt, { attempts: 5 })).rejects.toThrow("asks to wait 3600 s");
  expect(attempt).toHaveBeenCalledOnce();
});
