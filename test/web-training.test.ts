/**
 * What `sardonyx/web` has for pages, in Chromium: training in a worker, checkpoints that outlive the page, the user's files and camera.
 * Skipped where Chromium is not installed; `.ci/run` installs it.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Value } from "../src/web/index.ts";
import { executablePath, type Served, serve, startChromium } from "./chromium.ts";
import { blocks } from "./markdown.ts";

/** Trains on ordered data with dropout, so that what goes on must find its place in everything. */
const worker = `
import * as s from "./sardonyx/sardonyx.js";
s.trainingWorker(async ({ epochs, name, width = 16, batches, anew = false }, { progress }) => {
  const model = s.sequential([s.dense(width, { activation: "tanh" }), s.dropout(0.2), s.dense(2)]);
  const x = new s.Tensor("float32", [64, 4], Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)));
  const y = new s.Tensor("int32", [64], Int32Array.from({ length: 64 }, (_, i) => i % 2));
  const data = s.fromTensors({ x, y }).shuffle(s.keyOf(1)).batch(8);
  const store = name === undefined ? undefined : s.browserStore(name);
  const { history, notes, stopReason } = await s.fit(model, data, {
    loss: s.crossEntropy(), optimizer: s.adam({ learningRate: 0.01 }), epochs,
    training: { resume: anew ? undefined : await store?.load() },
    callbacks: [progress, ...(store ? [s.storedCheckpoint(store, batches === undefined ? {} : { batches })] : [])],
  });
  return { bytes: s.encodeSavedModel(model).bytes, losses: history.map(({ loss }) => loss), notes, stopReason };
});
`;
const page = `<!doctype html><script type="module">
import * as s from "./sardonyx/sardonyx.js";
globalThis.sardonyx = s;
globalThis.train = (options, listener) => s.trainInWorker(new Worker("./worker.js", { type: "module" }), options, listener);
document.title = "ready";
</script>`;

interface Trained {
  readonly bytes: Uint8Array;
  readonly losses: readonly number[];
  readonly notes: readonly string[];
  readonly stopReason: string | undefined;
}
type Training = { readonly result: Promise<Trained>; stop(): void };

/** What the page has in its global scope. */
declare global {
  var sardonyx: typeof import("../src/web/index.ts");
  var train: (options: object, listener?: object) => Training;
}

describe.skipIf(executablePath === undefined)("a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-web-"));
  let browser: Browser;
  let context: BrowserContext;
  let served: Served;

  beforeAll(async () => {
    cpSync("dist/web", join(folder, "sardonyx"), { recursive: true });
    writeFileSync(join(folder, "worker.js"), worker);
    writeFileSync(join(folder, "index.html"), page);
    served = await serve(folder);
    browser = await startChromium();
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser.close();
    served.close();
    rmSync(folder, { recursive: true });
  });

  async function open(within: BrowserContext = context): Promise<Page> {
    const opened = await within.newPage();
    await opened.goto(served.address);
    await expect.poll(() => opened.title(), { timeout: 30_000 }).toBe("ready");
    return opened;
  }

  test("stays responsive while its worker trains, and stops it", async () => {
    const own = await open();
    const found = await own.evaluate(async () => {
      let batches = 0;
      let training: Training | undefined;
      const started = new Promise<void>((resolve) => {
        training = train(
          { epochs: 1e6, width: 512 },
          {
            onBatch: () => {
              batches++;
              resolve();
            },
          },
        );
      });
      await started;
      const begun = performance.now();
      let [last, ticks, longest] = [begun, 0, 0];
      const timer = setInterval(() => {
        const now = performance.now();
        [ticks, longest, last] = [ticks + 1, Math.max(longest, now - last), now];
      }, 10);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      clearInterval(timer);
      const lasted = performance.now() - begun;
      training?.stop();
      const { losses = [], stopReason } = (await training?.result) ?? {};
      return { ticks, longest, lasted, batches, epochs: losses.length, stopReason };
    });
    expect(found.stopReason).toBe("the page stopped it");
    expect(found.batches).toBeGreaterThan(2);
    // Some ten messages a second, not one a batch.
    expect(found.batches).toBeLessThan(40);
    expect(found.epochs).toBeGreaterThan(0);
    expect(found.ticks).toBeGreaterThan(50);
    expect(found.longest).toBeLessThan(found.lasted / 4);
    await own.close();
  });

  test("that is closed in the middle goes on bit for bit", async () => {
    const whole = await open();
    const expected = await whole.evaluate(async () => {
      const { bytes, losses } = await train({ epochs: 160, name: "whole" }).result;
      return { bytes: [...bytes], losses };
    });
    await whole.close();
    const first = await open();
    // Closed in the third epoch or later, wherever the worker is then.
    await first.evaluate(
      () =>
        new Promise<void>((resolve) => {
          train(
            { epochs: 160, name: "parts", batches: 3 },
            { onEpoch: ({ epoch }: { epoch: number }) => epoch === 3 && resolve() },
          );
        }),
    );
    await first.reload();
    await expect.poll(() => first.title()).toBe("ready");
    const found = await first.evaluate(async () => {
      const saved = await sardonyx.browserStore("parts").load();
      const { bytes, losses } = await train({ epochs: 160, name: "parts" }).result;
      await sardonyx.browserStore("parts").remove();
      const isGone = (await sardonyx.browserStore("parts").load()) === undefined;
      return { bytes: [...bytes], losses, saved: saved?.epoch, isGone };
    });
    expect(found.saved).toBeGreaterThanOrEqual(2);
    expect(found.saved).toBeLessThan(160);
    expect(found.losses).toEqual(expected.losses);
    expect(found.bytes).toEqual(expected.bytes);
    expect(found.isGone).toBe(true);
    await first.close();
  });

  test("that is closed while it writes leaves a whole checkpoint", async () => {
    const own = await open();
    const save = (length: number, wait: boolean) =>
      own.evaluate(
        async ([length, wait]) => {
          const { browserStore, dense, encodeCheckpoint, fit, fromTensors, meanSquaredError, sequential, sgd, tensor } =
            sardonyx;
          const y = tensor(new Float32Array(length), { shape: [1, length] });
          const { progress } = await fit(sequential([dense(length)]), fromTensors({ x: tensor([[1]]), y }).batch(1), {
            loss: meanSquaredError(),
            optimizer: sgd({ learningRate: 0.1 }),
            epochs: 1,
          });
          const writing = browserStore("closed").save(encodeCheckpoint(progress));
          if (wait) await writing;
        },
        [length, wait] as const,
      );
    await save(1, true);
    await save(8_000_000, false);
    await own.close();
    const next = await open();
    const length = await next.evaluate(async () => {
      const progress = await sardonyx.browserStore("closed").load();
      return Object.values(progress?.trainer.tensors ?? {}).at(0)?.data.length;
    });
    expect([1, 8_000_000]).toContain(length);
    await next.close();
  });

  test("whose storage is full keeps the checkpoint of before, trains on and says so", async () => {
    const limited = await browser.newContext();
    const own = await open(limited);
    const warnings: string[] = [];
    limited.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
    const session = await limited.newCDPSession(own);
    // There is room for a small checkpoint, and not for one of 2.5 MB in its place.
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(served.address).origin, quotaSize: 2e6 });
    const { notes, epochs, saved } = await own.evaluate(async () => {
      await train({ epochs: 2, name: "full" }).result;
      const { notes, losses } = await train({ epochs: 4, name: "full", width: 30_000, anew: true }).result;
      const saved = await sardonyx.browserStore("full").load();
      return { notes, epochs: losses.length, saved: saved?.epoch };
    });
    expect([epochs, saved]).toEqual([4, 2]);
    expect(notes).toEqual([
      expect.stringMatching(/not saved: the checkpoint "full": the browser's storage is full.*stays; free space/),
    ]);
    expect(warnings.filter((text) => text.startsWith("Sardonyx: the checkpoint"))).toHaveLength(1);
    await limited.close();
  });

  test("reads files of the user's disk: tables, images, tensors, digits of MNIST", async () => {
    const own = await open();
    const found = await own.evaluate(async () => {
      const { fileBytes, readTableFile, imageTensor, decodeSafetensors, encodeSafetensors, readIdx, tensor } = sardonyx;
      const table = await readTableFile(new File(['\uFEFFage;name\r\n1,5;Ann\r\n2,5;"Bo; B"\r\n'], "people.csv"));
      const weights = new File([encodeSafetensors({ w: tensor([1, 2]) }) as Uint8Array<ArrayBuffer>], "w.safetensors");
      const { tensors } = decodeSafetensors(await fileBytes(weights));
      const idx = new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]);
      const packed = new Blob([idx]).stream().pipeThrough(new CompressionStream("gzip"));
      const digits = await readIdx(
        await fileBytes(new File([await new Response(packed).blob()], "labels.gz")),
        "labels",
      );
      const canvas = new OffscreenCanvas(4, 2);
      const pen = canvas.getContext("2d");
      if (pen) {
        pen.fillStyle = "rgb(255, 0, 0)";
        pen.fillRect(0, 0, 2, 2);
      }
      const file = new File([await canvas.convertToBlob()], "half.png");
      const image = await imageTensor(file);
      const grey = await imageTensor(file, { size: [1, 2], channels: 1 });
      const refused = (promise: Promise<unknown>) =>
        promise.then(String, (error: Error) => `${error.name}: ${error.message}`);
      return {
        table,
        weights: tensors.w?.toNumbers(),
        digits: digits.toNumbers(),
        image: [image.shape, image.toNumbers()],
        grey: [grey.shape, grey.toNumbers()],
        refusals: await Promise.all([
          refused(imageTensor(new File(["no image"], "notes.png"))),
          refused(fileBytes(new File([], "none.onnx"))),
          refused(readTableFile(new File(["a,b\n1,2\n3\n"], "short.csv"))),
          refused(readTableFile(new File([new Uint8Array([0x50, 0x4b, 3, 4])], "book.xlsx"))),
          refused(readTableFile(new File(["a,b\n"], "names.csv"))),
          refused(imageTensor(file, { size: [0, 2] })),
        ]),
      };
    });
    expect(found.table).toMatchObject({
      names: ["age", "name"],
      rows: [
        ["1,5", "Ann"],
        ["2,5", "Bo; B"],
      ],
      decimalComma: true,
    });
    expect([found.weights, found.digits]).toEqual([
      [1, 2],
      [7, 9],
    ]);
    // Red on the left, and nothing, which lies on white, on the right.
    const row = (left: number, right: number) => [left, left, right, right, left, left, right, right];
    expect(found.image).toEqual([
      [3, 2, 4],
      [...row(255, 255), ...row(0, 255), ...row(0, 255)],
    ]);
    // 0.2126 · 255 of red.
    expect(found.grey).toEqual([
      [1, 1, 2],
      [54, 255],
    ]);
    expect(found.refusals).toEqual([
      expect.stringMatching(/^FileError: notes\.png: cannot be read as an image.*PNG, JPEG or WebP/),
      expect.stringMatching(/^FileError: none\.onnx: is empty/),
      expect.stringMatching(/^FileError: short\.csv: line 3 has 1 value, expected 2/),
      expect.stringMatching(/^FileError: book\.xlsx: is a ZIP archive or an Excel workbook.*save its sheet as CSV/),
      expect.stringMatching(/^FileError: names\.csv: /),
      expect.stringMatching(/^OptionError: imageTensor: size/),
    ]);
    await own.close();
  });

  test("takes images of the camera where it may, and says why where it may not", async () => {
    const capture = async () => {
      try {
        const camera = await sardonyx.openCamera({ size: [24, 32] });
        const { shape, data } = await camera.capture();
        camera.close();
        const closed = await Promise.resolve()
          .then(() => camera.capture())
          .then(String, (error: Error) => error.message);
        return { shape, colours: new Set(data).size, closed };
      } catch (error) {
        return (error as Error).message;
      }
    };
    const own = await open();
    expect(await own.evaluate(capture)).toMatch(
      /^camera: (there is no camera; connect one|the page may not use the camera; allow it)/,
    );
    await own.close();
    const fake = await startChromium(["--use-fake-device-for-media-stream"]);
    try {
      const asked = await fake.newContext({ permissions: ["camera"] });
      const allowed = await open(asked);
      const captured = await allowed.evaluate(capture);
      expect(captured).toMatchObject({ shape: [3, 24, 32], closed: expect.stringMatching(/it is off; open it again/) });
      // The pattern of the made-up camera has smooth colours; a dark image would have one.
      expect((captured as { colours: number }).colours).toBeGreaterThan(10);
      const denied = await open(await fake.newContext({ permissions: [] }));
      expect(await denied.evaluate(capture)).toMatch(/^camera: the page may not use the camera; allow it/);
    } finally {
      await fake.close();
    }
  });

  test("computes on WebAssembly where the browser gives no graphics card", async () => {
    const own = await open();
    expect(await own.evaluate(() => sardonyx.pageDevice())).toBe("wasm");
    // The entry for workers has no other engine.
    const refused = await own.evaluate(`import("./sardonyx/worker.js").then(({ jit, ops, tensor }) =>
      jit((x) => ops.add(x, 1), { device: "webgpu" })(tensor([1])).then(String, (error) => error.message))`);
    expect(refused).toMatch(/"webgpu" is not in sardonyx\/web\/worker; import from "sardonyx\/web"/);
    await own.close();
  });

  test("does what the guide says", async () => {
    const own = mkdtempSync(join(folder, "guide-"));
    const [workerCode = "", pageCode = ""] = blocks("docs/guides/browser.md", "js");
    // Without a bundler, as the guide says too: the page by an import map, the worker by an address.
    writeFileSync(join(own, "worker.js"), workerCode.replace("sardonyx/web/worker", "../sardonyx/worker.js"));
    const map = '<script type="importmap">{ "imports": { "sardonyx/web": "../sardonyx/sardonyx.js" } }</script>';
    const body = '<button id="stop">Stop</button><output id="state"></output>';
    writeFileSync(
      join(own, "index.html"),
      `<!doctype html>${map}<body>${body}<script type="module">${pageCode}</script></body>`,
    );
    const opened = await context.newPage();
    await opened.goto(`${served.address}${basename(own)}/`);
    const state = () => opened.textContent("#state");
    await expect.poll(state, { timeout: 60_000 }).toMatch(/^trained: /);
    const [no = 0, yes = 0] = ((await state()) ?? "").slice("trained: ".length).split(",").map(Number);
    expect(yes).toBeGreaterThan(no);
    await opened.close();
  });

  test("says what a policy must allow, and computes where it does", async () => {
    const scripts = "script-src 'self' 'unsafe-inline'";
    const compute = () =>
      sardonyx
        .jit((x: Value) => sardonyx.ops.add(x, 1))(sardonyx.tensor([1]))
        .then(
          (sum) => String(sum.toNumbers()),
          (error: Error) => error.message,
        );
    for (const [policy, expected] of [
      [
        scripts,
        /^the engine does not start in this page.*Content-Security-Policy.*script-src have blob: and 'wasm-unsafe-eval'/,
      ],
      [`${scripts} blob: 'wasm-unsafe-eval'; worker-src 'self' blob:`, /^2$/],
    ] as const) {
      const strict = await serve(folder, { "content-security-policy": policy });
      const opened = await context.newPage();
      await opened.goto(strict.address);
      await expect.poll(() => opened.title(), { timeout: 30_000 }).toBe("ready");
      expect(await opened.evaluate(compute)).toMatch(expected);
      await opened.close();
      strict.close();
    }
  });

  test("says what a worker that cannot be loaded is about", async () => {
    const own = await open();
    const message = await own.evaluate(() =>
      sardonyx
        .trainInWorker(new Worker("./none.js", { type: "module" }), {})
        .result.then(String, (error: Error) => error.message),
    );
    expect(message).toMatch(/worker that is to train cannot run.*open its address/);
    await own.close();
  });
});
