/** Labelled sentences and reviews: the real sentences, the layout of the real reviews, broken files. */
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { loadImdb, readImdbArchive } from "../sets/imdb.node.ts";
import { loadSentiment, sentimentSubjects } from "../sets/sentiment.node.ts";
import { parseLabelledText } from "./labelled-text.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/data", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sardonyx-texts-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("3,000 sentences, half of them positive, without the entry at the end of each file", async () => {
  const { texts, skipped } = await loadSentiment();
  expect([texts.length, skipped]).toEqual([3000, 3]);
  expect(texts.filter(({ label }) => label === 1)).toHaveLength(1500);
  expect(texts[1000]).toEqual({ text: "Wow... Loved this place.", label: 1, subject: 1 });
  expect(sentimentSubjects.map((_, own) => texts.filter(({ subject }) => subject === own).length)).toEqual([
    1000, 1000, 1000,
  ]);
});

test("entries without text or class are left out and counted", () => {
  const json =
    '[{"text":" Fine. ","class":1},{"text":"","class":0},{"text":"x","class":null},{"text":"y","class":2},7]';
  expect(parseLabelledText(json, "a.json")).toEqual({ texts: [{ text: "Fine.", label: 1 }], skipped: 4 });
  expect(() => parseLabelledText('[{"text"', "a.json")).toThrow(/^a.json: is no JSON .* cut off/);
  expect(() => parseLabelledText("{}", "a.json")).toThrow(FileError);
});

test("reviews from folders and from the archive alike", async () => {
  const { train, test } = await loadImdb({ dir: fixtures });
  expect([train.texts.length, test.texts.length]).toEqual([6, 2]);
  expect(train.texts[0]).toEqual({ text: "A terrible film, dull and slow.  I hated every minute of it.", label: 0 });
  expect(test.texts.map(({ label }) => label)).toEqual([0, 1]);
  expect(await loadImdb({ dir: join(fixtures, "aclImdb") })).toEqual({ train, test });
  const archive = join(folder, "aclImdb_v1.tar.gz");
  execFileSync("tar", ["-czf", archive, "-C", fixtures, "aclImdb"]);
  expect(await readImdbArchive(archive)).toEqual({ train, test });
});

test("an empty review is counted; a folder of another layout is reported", async () => {
  await cp(join(fixtures, "aclImdb"), folder, { recursive: true });
  await writeFile(join(folder, "train", "pos", "3_7.txt"), " \n");
  expect((await loadImdb({ dir: folder })).train.skipped).toBe(1);
  await rm(join(folder, "test", "neg"), { recursive: true });
  await expect(loadImdb({ dir: folder })).rejects.toThrow(/cannot list the folder .*neg.*aclImdb\/train\/pos/);
  await mkdir(join(folder, "test", "neg"));
  await expect(loadImdb({ dir: folder })).rejects.toThrow(/has no .txt files/);
});
