/** What texts are taken for, how they are parted, what is counted of them, what simple ways reach. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { recipeForData } from "../kinds/recipe-for-data.node.ts";
import { evidenceOf } from "./evidence.ts";
import { loadTexts } from "./load-texts.node.ts";
import type { TextsRequest } from "./part-texts.node.ts";
import { baselinesOfTexts } from "./text-baselines.ts";
import { textBatches, textModel } from "./text-model.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-texts-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const request = { text: "", target: "", task: "auto", folds: 4, seed: 1, limit: undefined } as const;
const load = (path: string, more: Partial<TextsRequest> = {}) => loadTexts({ ...request, path, ...more });

const things = ["film", "meal", "phone", "book", "song"];
/** Texts that praise or blame a thing in one of several ways; the number of a text is in it. */
const rows = Array.from({ length: 80 }, (_, i) => ({
  id: `t${i}`,
  review: `The ${things[i % 5]} of ${1900 + (i >> 1)} is ${i % 2 ? "a joy" : "so dull"} to me`,
  mood: i % 2 ? "glad" : "sad",
}));
const table = (name: string, own: readonly Record<string, unknown>[]) =>
  written(name, own.map((row) => JSON.stringify(row)).join("\n"));
const path = table("reviews.jsonl", rows);

describe("texts in a table", () => {
  test("are recognized by one column of free text beside the target", async () => {
    expect(await recipeForData(path)).toMatchObject({
      recipe: "texts",
      because: 'texts ("review") with a value each ("mood")',
    });
    const wide = table(
      "wide.jsonl",
      rows.map((row, i) => ({ ...row, size: i / 7 })),
    );
    expect((await recipeForData(wide)).recipe).toBe("table");
    expect((await recipeForData(wide, "texts")).recipe).toBe("texts");
  });

  test("are parted into a fifth for the test, each class in its share, equal ones on one side", async () => {
    const twice = [...rows, ...rows.map(({ review, ...row }) => ({ ...row, review: `${review.toUpperCase()}.` }))];
    const { train, test: held, folds, target, notes } = await load(table("twice.jsonl", twice));
    expect([train.texts.length, held.texts.length]).toEqual([128, 32]);
    expect(target).toEqual({ name: "mood", kind: "classes", classes: ["glad", "sad"] });
    const plain = (text: string) => text.toLowerCase().replace(".", "");
    const trained = train.texts.map(plain);
    for (const text of held.texts) expect(trained).not.toContain(plain(text));
    for (const [i, text] of trained.entries()) expect(folds[i]).toBe(folds[trained.indexOf(text)]);
    expect(held.y.toNumbers().filter((label) => label === 1)).toHaveLength(16);
    expect(notes.join("\n")).toMatch(
      /"mood" is predicted \(the last column; --target names another\) of the texts in "review"/,
    );
    expect(notes.join("\n")).toMatch(/not read: "id"/);
  });

  test("words are learned of the texts to train on alone", async () => {
    const { features, train, test: held } = await load(path);
    const years = (texts: readonly string[]) => new Set(texts.map((text) => text.match(/\d{4}/)?.[0] ?? ""));
    const known = new Set(features.words.filter((word) => /^\d{4}$/.test(word)));
    expect(known).toEqual(years(train.texts));
    expect(held.read.some(({ unknown }) => unknown.length > 0)).toBe(true);
  });

  test("may have a number or any number of labels each", async () => {
    const numbers = await load(
      table(
        "stars.jsonl",
        rows.map(({ review }, i) => ({ review, stars: (i % 2) + i / 100 })),
      ),
    );
    expect(numbers.target).toMatchObject({ name: "stars", kind: "number" });
    const lists = rows.map(({ review }, i) => ({ review, tags: [things[i % 5], ...(i % 2 ? ["glad"] : [])] }));
    const listed = await load(table("tags.jsonl", lists));
    expect(listed.target).toEqual({ name: "tags", kind: "labels", labels: [...things, "glad"].sort() });
    expect(listed.train.y.shape).toEqual([64, 6]);
    const joined = lists.map(({ review, tags }) => ({ review, tags: tags.join("; ") }));
    const parted = await load(table("joined.jsonl", joined), { task: "labels" });
    expect(parted.target).toEqual(listed.target);
    expect(parted.train.y.toArray()).toEqual(listed.train.y.toArray());
    expect((await baselinesOfTexts(parted)).map(({ name, metric }) => [name, metric])).toEqual([
      ["all texts alike", "label F1"],
      ["naive Bayes", "label F1"],
      ["logistic regression", "label F1"],
    ]);
  });

  test.each([
    [
      "no texts",
      rows.map(({ id, mood }) => ({ id, mood })),
      {},
      /no column of "id", "mood" is free text; name .*--text/,
    ],
    ["one class", rows.map(({ review }) => ({ review, mood: "glad" })), {}, /target "mood": .* nothing to tell apart/],
    ["nothing to predict", rows.map(({ review }) => ({ review })), {}, /nothing to predict of them; add a column/],
    ["few texts", rows.slice(0, 7), {}, /7 texts with a value to predict, too few .*pass 8 at least/],
    ["a wrong column", rows, { text: "reviews" }, /"reviews"; did you mean "review"\?/],
    [
      "texts without words for most",
      rows.map((row, i) => ({ ...row, review: i < 5 ? row.review : " " })),
      { text: "review" },
      /5 texts/,
    ],
  ] as const)("%s: refused with the mend", async (name, own, more, said) => {
    await expect(load(table(`${name}.jsonl`, own), { text: "", ...more })).rejects.toThrow(said);
  });
});

describe("texts in folders", () => {
  const files = (root: string, count = 40, from = 0) => {
    for (let i = from; i < from + count; i++) written(`${root}/${rows[i]?.mood}/${i}.txt`, rows[i]?.review ?? "");
    return join(folder, root);
  };
  test("are of the class that the folder names; what is no text is left out and said", async () => {
    const root = files("classes");
    written("classes/glad/empty.txt", "");
    written("classes/glad/binary.txt", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13));
    written(
      "classes/sad/latin.txt",
      Uint8Array.from("Caf\u00e9 dull", (sign) => sign.charCodeAt(0)),
    );
    written("classes/sad/notes.bin", "?");
    expect(await recipeForData(root)).toEqual({ recipe: "texts", because: "a folder of texts by class" });
    const { target, train, test: held, notes } = await load(root);
    expect(target).toMatchObject({ kind: "classes", classes: ["glad", "sad"] });
    expect(train.texts.length + held.texts.length).toBe(41);
    expect([...train.texts, ...held.texts].join()).toContain("Café dull");
    expect(notes.join("\n")).toMatch(/2 files left out: .*binary\.txt: .*; .*empty\.txt: has no text in it/);
  });

  test("are tested on as train and test say, without what both have", async () => {
    const root = files("parted/train");
    files("parted/test", 12, 60);
    written("parted/train/sad/again.txt", rows[60]?.review ?? "");
    const { train, test: held, notes } = await load(join(root, ".."));
    expect([train.texts.length, held.texts.length]).toEqual([40, 12]);
    expect(new Set(held.texts)).toEqual(new Set(rows.slice(60, 72).map(({ review }) => review)));
    expect(notes.join("\n")).toMatch(/1 text that the test has too not trained on/);
  });

  test("without any are refused", async () => {
    written("none/a/x.bin", "?");
    await expect(load(join(folder, "none"))).rejects.toThrow(/no readable text; expected a folder for each class/);
    await expect(load(join(folder, "absent"))).rejects.toThrow(/there is no file/);
  });
});

describe("what is counted and read", () => {
  test("a member knows nothing of its fold", async () => {
    const loaded = await load(path);
    const { features, folds, train } = loaded;
    const evidence = evidenceOf(loaded, 4);
    expect(evidence.shape).toEqual([4, features.words.length + 1, 2]);
    // A year occurs in two texts, one of each class; where both are in a fold, its member says of it what it says of every such word.
    const at = (member: number, word: number) => evidence.data[(member * (features.words.length + 1) + word) * 2] ?? 0;
    const joy = 1 + features.words.indexOf("joy");
    for (let member = 0; member < 4; member++) expect(at(member, joy)).toBeGreaterThan(1);
    const only = features.words.findIndex((word) => {
      const places = train.read.flatMap(({ words }, i) =>
        words.includes(1 + features.words.indexOf(word)) ? [i] : [],
      );
      return places.length === 1;
    });
    const [owner = 0] = train.read.flatMap(({ words }, i) => (words.includes(1 + only) ? [folds[i] as number] : []));
    const apart = [0, 1, 2, 3].filter((member) => member !== owner).map((member) => Math.abs(at(member, 1 + only)));
    expect(Math.abs(at(owner, 1 + only))).toBeLessThan(Math.min(...apart));
  });

  test("batches have few widths, which the model reads", async () => {
    const { features, target, train, folds } = await load(path);
    const model = textModel(features, target, { members: 4, width: 4 });
    const widths = new Set<number>();
    let texts = 0;
    for await (const { x, y, fold } of textBatches(train, { features, size: 16, folds }).epoch(0)) {
      widths.add(x.shape[1] ?? 0);
      expect([y.shape, fold.shape]).toEqual([[x.shape[0]], [x.shape[0]]]);
      texts += x.shape[0] ?? 0;
      model.trace(x);
    }
    expect(texts).toBe(train.texts.length);
    expect(widths.size).toBeLessThanOrEqual(3);
    for (const width of widths) expect(width % (1 + features.runs)).toBe(0);
  });
});
