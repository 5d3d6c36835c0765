/** Runs as one page to send: what is in it, what is text in it, and what is refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { HttpError } from "../../serve/http-error.ts";
import type { Drawing } from "../runs/curve.ts";
import { RunLibrary } from "../runs/run-library.node.ts";
import { sharedPage } from "./shared-page.node.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-share-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const evil = "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>";
const drawing: Drawing = { axis: "step", smoothing: 0, logarithmic: false };
const outside = /<script|<img(?! src="data:)|\ssrc="(?!data:)|\shref=|url\(|@import|<link|<iframe/;

function makeRun(id: string, name: string, learningRate: number, report?: object): void {
  const folder = join(root, id);
  mkdirSync(folder, { recursive: true });
  const write = (file: string, content: object) => writeFileSync(join(folder, file), JSON.stringify(content));
  write("run.json", {
    recipe: { name },
    settings: { epochs: 2, learningRate, data: name },
    created: "2026-01-02T00:00:00Z",
  });
  write("studio.json", { name: `${name} ${id}`.slice(0, 200), note: `first line\n${name}`, tags: ["<b>"] });
  const results = { accuracy: 0.75, loss: 0.5 };
  write("evaluation.json", {
    samples: 4,
    results,
    classes: [name, "b"],
    confusion: [
      [1, 2],
      [0, 1],
    ],
  });
  const lines = [1, 2].map((epoch) => ({ type: "epoch", epoch, batch: 10 * epoch, loss: 1 / epoch, [name]: epoch }));
  writeFileSync(join(folder, "log.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  if (report) write("report.json", report);
}

const libraryOf = () => {
  const library = new RunLibrary(root);
  library.refresh();
  return library;
};

test("one run: notes, results, confusion, curves and settings, and nothing of another place", async () => {
  makeRun("a", evil, 0.1);
  const page = await sharedPage(libraryOf(), ["a"], drawing);
  expect(Array.from(page.matchAll(/<h2>([^<]*)</g), ([, title]) => title)).toEqual([
    ...["Notes", "Test", "Confusion matrix", "Curves", "Settings"],
  ]);
  expect(page).toContain("75.00 %");
  expect(page).toContain("first line<br>&lt;script&gt;");
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(outside);
});

test("several: a table of what differs, curves over one another, and each run", async () => {
  makeRun("a", "one", 0.1);
  makeRun("b", evil, 0.2);
  const page = await sharedPage(libraryOf(), ["a", "b", "a"], { ...drawing, axis: "epoch", logarithmic: true });
  expect(page.match(/<details>/g)).toHaveLength(2);
  const [table = ""] = /<table class="wide side">.*?<\/table>/s.exec(page) ?? [];
  expect(table).toContain("<th>learning rate</th>");
  expect(table).not.toContain("<th>epochs</th>");
  expect(page).not.toMatch(outside);
});

test("with a report its sections; one that is damaged, or has images of another place, is left out", async () => {
  const report = {
    ...{ format: "sardonyx-report-1", state: "running", recipe: evil, summary: evil, created: "2026-01-02T00:00:00Z" },
    ...{ versions: {}, settings: {}, dataNotes: [evil], parameters: { total: 1, trainable: 1 }, plannedEpochs: 2 },
    ...{ epochs: [], stopReasons: [], notes: [], usage: [{ command: evil, meaning: evil }] },
  };
  const mistake = { sample: 0, actual: evil, predicted: evil, loss: 1 };
  makeRun("a", "one", 0.1, { ...report, mistakes: [mistake] });
  makeRun("b", "two", 0.1, { ...report, mistakes: [{ ...mistake, image: "http://evil.example/x.png" }] });
  const whole = await sharedPage(libraryOf(), ["a"], drawing);
  expect(whole).toContain("Worst mistakes");
  // It is a copy, which does not read itself again.
  expect(whole).not.toMatch(/http-equiv="refresh"|reads itself again/);
  const without = await sharedPage(libraryOf(), ["b"], drawing);
  expect(without).not.toContain("Worst mistakes");
  for (const page of [whole, without]) expect(page).not.toMatch(outside);
});

test("none, too many, and what is no run are refused", async () => {
  makeRun("a", "one", 0.1);
  const library = libraryOf();
  await expect(sharedPage(library, [], drawing)).rejects.toThrow("the address lacks ?run=");
  const many = Array.from({ length: 51 }, (_, i) => String(i));
  await expect(sharedPage(library, many, drawing)).rejects.toThrow(HttpError);
  await expect(sharedPage(library, ["../.."], drawing)).rejects.toThrow(FileError);
});
