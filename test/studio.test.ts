/** `sardonyx studio` as people use it: a page that trains, follows, stops and goes on; and what may not use it. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, startChromium } from "./chromium.ts";
import { type Asked, openStudioPage, program, type StudioProcess, startStudio } from "./studio-process.ts";

const built = fileURLToPath(new URL("../dist/studio", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-studio-"));
const root = join(folder, "runs");

let studio: StudioProcess;
let url: URL;
let token: string;
const ask: StudioProcess["ask"] = (path, asked) => studio.ask(path, asked);
const post: StudioProcess["post"] = (path, body, headers) => studio.post(path, body, headers);

beforeAll(async () => {
  studio = await startStudio(root, folder);
  ({ url, token } = studio);
});
afterAll(async () => {
  studio.child.kill("SIGKILL");
  await studio.ended;
  rmSync(folder, { recursive: true, force: true });
});

const runsNow = async () =>
  JSON.parse((await ask("/api/runs")).text).runs as { id: string; state: string; epoch: number }[];

describe("who may not use it is refused, in a sentence", () => {
  test.each<[string, string, Asked, number, string]>([
    ["no token", "/api/runs", { headers: { authorization: "" } }, 401, "open the address that the command"],
    ["another token", "/", { headers: { authorization: "Bearer 0123" } }, 401, "open the address"],
    ["another token in the address", "/?token=0123", { headers: { authorization: "" } }, 401, "open the address"],
    [
      "another name of this machine",
      "/api/runs",
      { headers: { host: "evil.example" } },
      421,
      "asked under another name",
    ],
    ["another site", "/api/runs", { headers: { origin: "https://evil.example" } }, 403, "pages of other sites"],
    [
      "a form of another site",
      "/api/delete",
      { method: "POST", headers: { "sec-fetch-site": "cross-site" }, body: "run=a" },
      403,
      "pages of other sites",
    ],
    ["another method", "/api/delete", {}, 405, "/api/delete is asked by POST"],
    ["what it has not", "/api/other", {}, 404, "the studio has no /api/other"],
    ["files of others", "/../../etc/passwd", {}, 404, "the studio has no"],
    ["files of others, hidden", "/%2e%2e%2fpackage.json", {}, 404, "the studio has no"],
    ["a folder that is no run", "/api/file?run=..&name=report.html", {}, 400, 'there is no run \\"..\\"'],
    ["a file that is not shown", "/api/file?run=.&name=checkpoint.safetensors", {}, 404, "shows no file"],
    ["a query that lacks something", "/api/names", {}, 400, "the address lacks ?run="],
    [
      "a body that is no JSON",
      "/api/train",
      { method: "POST", headers: { "content-type": "application/json" }, body: "{" },
      400,
      "is no JSON",
    ],
    ["a body of another type", "/api/train", { method: "POST", body: "{}" }, 415, "send application/json"],
  ])("%s", async (_, path, asked, status, words) => {
    const answer = await ask(path, asked);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(words)]);
  });

  test("settings that no recipe has, folders that lead elsewhere, a recipe of a folder", async () => {
    const refused = async (body: object) => (await post("/api/train", body)).text;
    expect(await refused({ recipe: "./mine.ts", settings: {} })).toContain("there is no built-in recipe");
    expect(await refused({ recipe: "iris", settings: { epoch: 1 } })).toContain('iris has no setting \\"epoch\\"');
    expect(await refused({ recipe: "iris", settings: { epochs: "--out" } })).toContain("expected a number");
    expect(await refused({ recipe: "iris", settings: { optimizer: "none" } })).toContain("expected ");
    for (const name of ["../elsewhere", "/tmp/x", "a/../../b", ".hidden", ""])
      expect(await refused({ recipe: "iris", settings: {}, name }), name).toMatch(
        name === "" ? /no name|run/ : /is no name/,
      );
  });

  test("the token goes into a cookie that scripts cannot read, and out of the address", async () => {
    const { status, headers } = await ask(`/?token=${token}`, { headers: { authorization: "" } });
    expect([status, headers["location"]]).toEqual([303, "/"]);
    expect(String(headers["set-cookie"])).toMatch(
      /^sardonyx-studio-\d+=[0-9a-f]{48}; HttpOnly; SameSite=Strict; Path=\/$/,
    );
  });

  test("nothing is loaded from elsewhere, and the page is small", async () => {
    const { headers } = await ask("/");
    expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    const bytes = ["app.js", "app.css", "index.html"].map((name) => gzipSync(readFileSync(join(built, name))).length);
    expect(bytes.reduce((sum, own) => sum + own, 0)).toBeLessThan(250_000);
    expect(readFileSync(join(built, "app.js"), "utf8")).not.toMatch(
      /https?:\/\/(?!www\.w3\.org)[\w.]+\/[\w/]+\.(js|css|woff)/,
    );
  });
});

test("what files of runs say is text, and runs nothing", async () => {
  const evil = "<img src=x onerror=alert(1)>";
  mkdirSync(join(root, "evil"), { recursive: true });
  const record = { recipe: { name: evil }, settings: { optimizer: evil }, created: "2020-01-01T00:00:00Z" };
  writeFileSync(join(root, "evil/run.json"), JSON.stringify(record));
  writeFileSync(join(root, "evil/report.html"), "<script>parent.document.title = 'taken'</script>");
  // The list is looked at anew where it is asked for.
  expect((await runsNow()).map(({ id }) => id)).toContain("evil");
  const { headers } = await ask("/api/file?run=evil&name=report.html");
  expect(headers["content-security-policy"]).toMatch(/^sandbox; default-src 'none'/);
  expect(headers["x-content-type-options"]).toBe("nosniff");
});

describe.skipIf(executablePath === undefined)("the page, in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());

  test("trains, is followed, stopped, resumed, noted and thrown away", { timeout: 180_000 }, async () => {
    const { page, wrong } = await openStudioPage(browser, { url });
    await page.getByRole("row", { name: /evil/ }).waitFor();
    expect(page.url()).not.toContain("token");

    await page.getByRole("link", { name: "Train" }).click();
    await page.getByLabel("Recipe", { exact: true }).selectOption("iris");
    await page.getByLabel("epochs", { exact: true }).fill("20");
    await page.getByLabel("threads", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Train" }).click();
    await page
      .getByText("The same on the command line: sardonyx train iris --epochs=20 --threads=1 --out iris")
      .waitFor();
    await page.locator(".jobs").getByText("done").waitFor({ timeout: 60_000 });

    // A long one, which is stopped while it is followed.
    await page.getByLabel("epochs", { exact: true }).fill("100000");
    await page.getByRole("button", { name: "Train" }).click();
    await page.getByRole("link", { name: "iris-2" }).click();
    await page.getByText(/iris · training · Epoch [1-9]/).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 60_000 });
    const [stopped] = (await runsNow()).filter(({ id }) => id === "iris-2");
    expect(stopped?.state).toBe("stopped");
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.waitForFunction(
      (epoch) => Number(/Epoch (\d+)/.exec(document.body.innerText)?.[1]) > epoch,
      stopped?.epoch ?? 0,
      { timeout: 60_000 },
    );
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 60_000 });

    await page.getByLabel("Name").fill("the long one");
    await page.getByLabel(/^Tags/).fill("slow, stopped");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: "the long one" }).waitFor();
    expect(JSON.parse(readFileSync(join(root, "iris-2/studio.json"), "utf8")).tags).toEqual(["slow", "stopped"]);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Really delete?" }).click();
    await page.getByText("2 of 2 runs").waitFor();
    expect(existsSync(join(root, ".trash/iris-2/run.json"))).toBe(true);

    await page.getByLabel("Filter runs").fill("accuracy>0.5");
    await page.getByText("1 of 2 runs").waitFor();
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByText("2 个运行中的 1 个").waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("from 390 pixels up nothing stands beside the page", { timeout: 60_000 }, async () => {
    for (const width of [390, 800, 1400]) {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      await page.goto(url.href);
      for (const place of ["#/", "#/train", "#/understand", "#/ask/iris", "#/run/iris"]) {
        await page.goto(new URL(`/${place}`, url).href);
        await page.locator("main").waitFor();
        await page.waitForTimeout(300);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth),
          `${place} at ${width}`,
        ).toBeLessThanOrEqual(width);
      }
      await page.close();
    }
  });
});

test("a second studio has a port of its own, one that is taken is told, and another host needs a password", async () => {
  const run = (...args: readonly string[]) =>
    new Promise<{ code: number | null; text: string }>((resolve) => {
      const own = spawn(process.execPath, [program, "studio", root, ...args], { cwd: folder });
      let text = "";
      own.stderr.on("data", (data) => {
        text += data;
      });
      own.on("close", (code) => resolve({ code, text }));
    });
  expect(await run("--port", url.port)).toEqual({
    code: 2,
    text: expect.stringContaining(`cannot listen on 127.0.0.1:${url.port}`),
  });
  expect(await run("--host", "0.0.0.0", "--port", "0")).toEqual({
    code: 2,
    text: expect.stringContaining("pass a password for it"),
  });
  expect(await run("--password-env", "NOT_SET")).toEqual({
    code: 2,
    text: expect.stringContaining("the environment has no NOT_SET"),
  });
});

test("Ctrl-C closes it", async () => {
  studio.child.kill("SIGINT");
  expect(await studio.ended).toBe(0);
});
