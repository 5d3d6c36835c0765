/** Files and pixels as Node has them too; what only a browser decodes is tried in test/web-training.test.ts. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fileBytes, readTableFile } from "./files.ts";
import { tensorOfPixels } from "./images.ts";

describe("bytes of a file", () => {
  test("are those of the file, unpacked where gzip packed it", async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(await fileBytes(new File([bytes], "a.bin"))).toEqual(bytes);
    expect(await fileBytes(new File([new Uint8Array(gzipSync(bytes))], "a.gz"))).toEqual(bytes);
  });
  test("of an empty file, a damaged one, and one that is gone are refused by its name", async () => {
    await expect(fileBytes(new File([], "none.onnx"))).rejects.toThrow("none.onnx: is empty (0 bytes)");
    await expect(fileBytes(new Blob([]))).rejects.toThrow("the file: is empty");
    const cut = new Uint8Array(gzipSync(Uint8Array.of(1, 2, 3))).slice(0, 12);
    await expect(fileBytes(new File([cut], "cut.gz"))).rejects.toThrow(/cut\.gz: cannot be unpacked as gzip/);
    const gone = new File(["text"], "gone.csv");
    gone.arrayBuffer = () => Promise.reject(new DOMException("could not be found", "NotFoundError"));
    await expect(fileBytes(gone)).rejects.toThrow(/gone\.csv: .*could not be found.*choose it again/);
  });
});

describe("a table", () => {
  test("has names and rows, by what its beginning tells", async () => {
    const { names, rows, decimalComma, notes } = await readTableFile(new File(["a\tb\n1\tx\n2\t\n"], "t.tsv"));
    expect({ names, rows, decimalComma }).toEqual({
      names: ["a", "b"],
      rows: [
        ["1", "x"],
        ["2", ""],
      ],
      decimalComma: false,
    });
    expect(notes).toEqual(["values separated by tabs"]);
    const headless = await readTableFile(new File(["1,2\n3,4\n"], "n.csv"), { header: false });
    expect([headless.names, headless.rows.length]).toEqual([["0", "1"], 2]);
  });
  test("without rows, and of rows that differ, is refused with the line", async () => {
    await expect(readTableFile(new File(["a,b\n"], "t.csv"), { header: true })).rejects.toThrow("t.csv: has no rows");
    await expect(readTableFile(new File(["a,b\n1,2\n3,4,5\n"], "t.csv"))).rejects.toThrow(
      "t.csv: line 3 has 3 values, expected 2",
    );
  });
});

test("pixels become planes, and grey by the weights of ITU-R BT.709", () => {
  const data = Uint8ClampedArray.of(255, 0, 0, 255, 10, 20, 30, 255);
  const colours = tensorOfPixels({ data, width: 2, height: 1 }, 3);
  expect([colours.shape, colours.toNumbers()]).toEqual([
    [3, 1, 2],
    [255, 10, 0, 20, 0, 30],
  ]);
  // 0.2126 · 255, and 0.2126 · 10 + 0.7152 · 20 + 0.0722 · 30.
  expect(tensorOfPixels({ data, width: 2, height: 1 }, 1).toNumbers()).toEqual([54, 19]);
});
