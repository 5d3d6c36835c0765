/** What texts to learn writing from are taken for, how they are parted, how large a model they get. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { recipeForData } from "../kinds/recipe-for-data.node.ts";
import { loadWriting } from "./load-writing.node.ts";
import { partsOfText } from "./text-parts.ts";
import { writingSize } from "./writing-size.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-writing-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test("the last tenth is tested on, cut between lines", () => {
  const text = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join("\n");
  const { train, validation, test: held } = partsOfText(text);
  expect(train + validation + held).toBe(text);
  expect([train, validation].map((part) => part.at(-1))).toEqual(["\n", "\n"]);
  expect(held.length / text.length).toBeCloseTo(0.1, 2);
  expect(validation.length / text.length).toBeCloseTo(0.09, 2);
  // Without lines anywhere.
  expect(partsOfText("a".repeat(1000)).test).toHaveLength(100);
});

describe("a text", () => {
  test("is a file in any usual encoding, with any line ends", async () => {
    const path = written("book.txt", Uint8Array.of(0xff, 0xfe, ...Buffer.from("Ein Wal.\r\n".repeat(50), "utf16le")));
    expect(await recipeForData(path)).toEqual({ recipe: "writing", because: "a text to learn writing from" });
    const { train, notes } = await loadWriting({ path, seed: 0 });
    expect(train.startsWith("Ein Wal.\nEin Wal.\n")).toBe(true);
    expect(notes).toEqual(["the last tenth of the text is tested on"]);
  });

  test("is many documents, of which whole ones are tested on; what repeats or is no text is left out", async () => {
    for (let i = 0; i < 30; i++) written(`notes/${i % 3}/deep/${i}.md`, `# Note ${i}\n\n${"words ".repeat(20)}`);
    written("notes/again.md", `# Note 4\n\n${"words ".repeat(20)}`);
    written("notes/empty.txt", "  ");
    written("notes/broken.txt", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13));
    const path = join(folder, "notes");
    expect(await recipeForData(path)).toEqual({ recipe: "writing", because: "texts to learn writing from" });
    const { notes, ...parts } = await loadWriting({ path, seed: 1 });
    const titles = (text: string) => text.match(/# Note \d+/g) ?? [];
    const [train, validation, held] = [parts.train, parts.validation, parts.test].map(titles);
    expect([train?.length, validation?.length, held?.length]).toEqual([23, 3, 4]);
    expect(new Set([...(train ?? []), ...(validation ?? []), ...(held ?? [])]).size).toBe(30);
    expect(notes.join("\n")).toMatch(
      /a tenth of 30 documents is tested on\n1 file left out: .*broken\.txt.*\n2 files without text/,
    );
    expect(await loadWriting({ path, seed: 1 })).toEqual({ notes, ...parts });
  });

  test("that there is not is refused", async () => {
    await expect(loadWriting({ path: join(folder, "absent.txt"), seed: 0 })).rejects.toThrow(
      /there is no file or folder/,
    );
    await expect(loadWriting({ path: written("blank.txt", "\n \n"), seed: 0 })).rejects.toThrow(
      /has no text in it; pass a file \.txt, \.md/,
    );
  });
});

test("more text gets more tokens and a larger model", () => {
  // √1,000,000 = 1000, near 1024.
  expect(writingSize(1_000_000)).toEqual({ vocabulary: 1024, width: 128, layers: 4, heads: 4, dropout: 0.1 });
  expect(writingSize(10_000).vocabulary).toBe(512);
  expect(writingSize(1e9)).toMatchObject({ vocabulary: 8192, width: 256, dropout: 0 });
});
