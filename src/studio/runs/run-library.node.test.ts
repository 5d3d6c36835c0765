/** Runs found on disk, followed as they grow, and their curves; what is damaged, gone, or elsewhere. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileError, OptionError } from "../../core/errors.ts";
import { claim } from "../../runs/folder/claim.node.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { encodeScalars } from "../../train/callbacks/tensorboard-events.ts";
import { annotate } from "./annotations.node.ts";
import { RunLibrary } from "./run-library.node.ts";
import { throwAway } from "./trash.node.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-studio-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lineOf = (record: object) => `${JSON.stringify(record)}\n`;
const batchLine = (batch: number, loss: number | null) =>
  lineOf({ type: "batch", batch, epoch: 1 + Math.floor(batch / 100), loss });
const epochLine = (epoch: number, accuracy: number) =>
  lineOf({ type: "epoch", epoch, batch: 100 * epoch, loss: 0.5, validation_accuracy: accuracy });

/** Writes a run. */
function makeRun(id: string, { log = "", results }: { readonly log?: string; readonly results?: object } = {}): string {
  const folder = join(root, id);
  mkdirSync(folder, { recursive: true });
  const settings = { epochs: 3, learningRate: 0.1, options: { width: 8 } };
  const record = {
    format: "sardonyx-run-2",
    recipe: { name: "iris" },
    settings,
    versions: {},
    created: "2026-01-02T00:00:00Z",
  };
  writeFileSync(join(folder, "run.json"), JSON.stringify(record));
  writeFileSync(join(folder, "log.jsonl"), log);
  if (results) writeFileSync(join(folder, "evaluation.json"), JSON.stringify({ samples: 1, results }));
  return folder;
}

const libraryOf = () => {
  const library = new RunLibrary(root);
  library.refresh();
  return library;
};

test("runs in folders of folders, with what they reached", () => {
  makeRun("a", {
    log: batchLine(50, 1) + epochLine(1, 0.5) + batchLine(150, 0.4),
    results: { accuracy: 0.9, confusion: [[1]] },
  });
  makeRun("seeds/seed-0");
  mkdirSync(join(root, ".trash/old"), { recursive: true });
  writeFileSync(join(root, ".trash/old/run.json"), "{}");
  const runs = libraryOf().runs;
  expect(runs.map(({ id }) => id)).toEqual(["a", "seeds/seed-0"]);
  expect(runs[0]).toMatchObject({
    ...{ name: "a", recipe: "iris", state: "finished", epoch: 1, batch: 150 },
    settings: { epochs: 3, learningRate: 0.1, width: 8 },
    latest: { loss: 0.5, validation_accuracy: 0.5 },
    results: { accuracy: 0.9 },
  });
  expect(runs[1]).toMatchObject({ state: "stopped", epoch: 0, latest: {} });
});

test("a folder without runs, one that is not there, and links that lead elsewhere", () => {
  expect(libraryOf().runs).toEqual([]);
  const elsewhere = mkdtempSync(join(tmpdir(), "sardonyx-elsewhere-"));
  writeFileSync(join(elsewhere, "run.json"), "{}");
  symlinkSync(elsewhere, join(root, "link"));
  symlinkSync(root, join(root, "circle"));
  expect(libraryOf().runs).toEqual([]);
  rmSync(elsewhere, { recursive: true });
  const gone = new RunLibrary(join(root, "none"));
  expect(gone.refresh()).toEqual({ changed: [], gone: [] });
  for (const id of ["..", "../..", "none", "", "/etc"]) expect(() => libraryOf().folderOf(id)).toThrow(FileError);
});

test("a run.json that is damaged is told, and a log that is cut off in a line is read to the line before", () => {
  writeFileSync(join(makeRun("a", { log: `${epochLine(1, 0.5)}{"type":"epo` }), "run.json"), "{");
  const library = libraryOf();
  expect(library.runs[0]).toMatchObject({
    state: "damaged",
    epoch: 1,
    problem: "run.json is damaged; restore it, or remove the folder",
  });
  expect(library.curve("a", "loss", "epoch", { columns: 10 })?.values).toEqual([0.5]);
});

test("what is appended is read on, each line once, and a run that began anew is read anew", () => {
  const folder = makeRun("a", { log: batchLine(50, 1) });
  const library = libraryOf();
  const curve = () => library.curve("a", "loss", "batch", { columns: 100 });
  expect(curve()).toEqual({ run: "a", name: "loss", by: "batch", batches: [50], values: [1] });
  const log = join(folder, "log.jsonl");
  appendFileSync(log, batchLine(100, null) + epochLine(1, 0.5) + batchLine(150, 0.5).slice(0, 20));
  expect(library.refresh()).toEqual({ changed: ["a"], gone: [] });
  expect(library.refresh()).toEqual({ changed: [], gone: [] });
  expect(curve()).toMatchObject({ batches: [50, 100], values: [1, null], batchesOfEpoch: 100 });
  appendFileSync(log, batchLine(150, 0.5).slice(20));
  expect(curve()?.values).toEqual([1, null, 0.5]);
  truncateSync(log, 0);
  appendFileSync(log, batchLine(10, 7));
  expect(curve()?.values).toEqual([7]);
  expect(library.curve("a", "nothing", "batch", { columns: 100 })).toBeUndefined();
  rmSync(folder, { recursive: true });
  expect(library.refresh().gone).toEqual(["a"]);
  expect(() => curve()).toThrow('there is no run "a"');
});

test("a run that a process trains is known by its lock, and told when it ends", () => {
  const folder = makeRun("a");
  const { release } = claim(folder, "a");
  const library = libraryOf();
  expect(library.runs[0]?.state).toBe("training");
  appendFileSync(join(folder, "log.jsonl"), epochLine(1, 0.5));
  expect(library.refresh("training").changed).toEqual(["a"]);
  expect(library.runs[0]?.epoch).toBe(1);
  release();
  expect(library.refresh("training").changed).toEqual(["a"]);
  expect(library.runs[0]?.state).toBe("stopped");
});

test("no peak is lost between the points that are drawn, and times come from event files", () => {
  const log = Array.from({ length: 5000 }, (_, i) => batchLine(i + 1, i === 3333 ? 99 : Math.cos(i))).join("");
  const folder = makeRun("a", { log });
  mkdirSync(join(folder, "tensorboard"));
  writeFileSync(
    join(folder, "tensorboard/events.out.tfevents.1.host"),
    Buffer.concat([1, 2500, 5000].map((step) => encodeScalars(step, 1000 + step, { "batch/loss": 1 }))),
  );
  const curve = libraryOf().curve("a", "loss", "batch", { columns: 50 });
  expect(curve?.values.length).toBeLessThan(260);
  expect(Math.max(...((curve?.values ?? []) as number[]))).toBe(99);
  expect([curve?.times?.[0], curve?.times?.at(-1)]).toEqual([1001, 6000]);
});

test("curves are smoothed over all points, without a bias at their beginning", () => {
  makeRun("a", { log: Array.from({ length: 2000 }, (_, i) => batchLine(i + 1, i % 2 === 0 ? 1 : 3)).join("") });
  const curve = libraryOf().curve("a", "loss", "batch", { columns: 20, smoothing: 0.99 });
  expect(curve?.smoothed).toHaveLength(curve?.values.length ?? -1);
  expect(curve?.smoothed?.[0]).toBeCloseTo(1, 10);
  expect(curve?.smoothed?.at(-1)).toBeCloseTo(2, 1);
});

test("event files that another program wrote are runs of their own", () => {
  mkdirSync(join(root, "theirs"));
  const file = join(root, "theirs/events.out.tfevents.1.host");
  writeFileSync(file, encodeScalars(1, 10, { "Loss/train": 0.5 }));
  const library = libraryOf();
  expect(library.runs).toMatchObject([{ id: "theirs", recipe: undefined }]);
  expect(library.curveNames("theirs")).toEqual({ batch: ["Loss/train"], epoch: [] });
  appendFileSync(file, encodeScalars(2, 11, { "Loss/train": 0.25 }));
  expect(library.curve("theirs", "Loss/train", "batch", { columns: 10 })).toMatchObject({
    ...{ batches: [1, 2], values: [0.5, 0.25], times: [10, 11] },
  });
});

test("notes are kept in the run's folder, and what is none is refused", async () => {
  const folder = makeRun("a");
  await annotate(folder, { name: "best", tags: ["paper"], note: "the one" });
  await annotate(folder, { archived: true });
  expect(libraryOf().runs[0]).toMatchObject({ name: "best", tags: ["paper"], note: "the one", archived: true });
  await expect(annotate(folder, { tags: "paper" })).rejects.toThrow(FileError);
  await expect(annotate(folder, { other: 1 })).rejects.toThrow(/send name, group, tags, note or archived$/);
  writeFileSync(join(folder, "studio.json"), "{");
  expect(libraryOf().runs[0]).toMatchObject({ name: "a", archived: false });
});

test("an encrypted run is shown where its key is at hand, and says what is missing where it is not", async () => {
  const [recipient = ""] = readFileSync("test/fixtures/age/recipients.txt", "utf8").match(/^age1.*$/m) ?? [];
  const folder = join(root, "sealed");
  mkdirSync(folder);
  writeFileSync(join(folder, ".age-recipients"), `${recipient}\n`);
  const record = { recipe: { name: "iris" }, settings: { epochs: 3 }, created: "2026-01-02T00:00:00Z" };
  await writeFileAtomic(join(folder, "run.json"), JSON.stringify(record));
  await writeFileAtomic(join(folder, "log.jsonl"), epochLine(1, 0.5));
  expect(libraryOf().runs).toMatchObject([
    { id: "sealed", state: "damaged", problem: expect.stringContaining("no identity is given; pass the file") },
  ]);
  process.env["SARDONYX_IDENTITY"] = "test/fixtures/age/identity.txt";
  try {
    const library = libraryOf();
    expect(library.runs).toMatchObject([{ state: "stopped", recipe: "iris", epoch: 1 }]);
    const curve = () => library.curve("sealed", "validation_accuracy", "epoch", { columns: 10 })?.values;
    expect(curve()).toEqual([0.5]);
    // As it grows it is written anew.
    await writeFileAtomic(join(folder, "log.jsonl"), epochLine(1, 0.5) + epochLine(2, 0.75));
    expect(curve()).toEqual([0.5, 0.75]);
    await annotate(folder, { note: "secret" });
    expect(readFileSync(join(folder, "studio.json"), "latin1")).toMatch(/^age-encryption/);
    library.refresh();
    expect(library.runs).toMatchObject([{ note: "secret" }]);
  } finally {
    delete process.env["SARDONYX_IDENTITY"];
  }
});

test("a run goes to the trash whole, beside others of its name, but not while it is trained", async () => {
  for (const id of ["x/a", "y/a"]) makeRun(id);
  expect(await throwAway(root, "x/a")).toBe(join(root, ".trash/a"));
  expect(await throwAway(root, "y/a")).toBe(join(root, ".trash/a-2"));
  expect(existsSync(join(root, ".trash/a/run.json"))).toBe(true);
  expect(libraryOf().runs).toEqual([]);
  const { release } = claim(makeRun("b"), "b");
  await expect(throwAway(root, "b")).rejects.toThrow(OptionError);
  await expect(throwAway(root, "b")).rejects.toThrow(/^b is being trained by process \d+ since .*; stop it first$/);
  release();
});
