/** Files that are dropped: kept under names that lead nowhere, few and bounded, and gone with the studio. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { afterEach, expect, test } from "vitest";
import { DroppedFiles } from "./dropped-files.node.ts";

const made: DroppedFiles[] = [];
const keep = (limits: ConstructorParameters<typeof DroppedFiles>[0] = {}) => {
  const files = new DroppedFiles(limits);
  made.push(files);
  return files;
};
async function* of(...parts: readonly string[]) {
  for (const part of parts) yield Buffer.from(part);
}
afterEach(() => {
  for (const files of made.splice(0)) files.close();
});

test("under names of their own, until the end", async () => {
  const files = keep();
  const path = files.pathOf(await files.take("../../my net.onnx", of("ab", "c")));
  expect([readFileSync(path, "utf8"), basename(path)]).toEqual(["abc", "-my-net.onnx"]);
  expect(files.shown(`${path}: no model`)).toBe("-my-net.onnx: no model");
  const config = files.pathOf(await files.take("config.json", of("{}")));
  expect(basename(dirname(config))).toBe("config");
  files.close();
  expect(existsSync(path)).toBe(false);
});

test("few, of a size, and nothing that has code in it", async () => {
  const files = keep({ files: 1, bytes: 4 });
  const first = await files.take("a.onnx", of("1"));
  await files.take("b.onnx", of("2"));
  expect(() => files.pathOf(first)).toThrow("is not kept any more; drop it again");
  await expect(files.take("c.onnx", of("123", "45"))).rejects.toThrow("at most 4 B");
  for (const name of ["a.pt", "a.pkl", "a.ts", "onnx", ""])
    await expect(files.take(name, of("1")), name).rejects.toThrow("is no model that is inspected here");
});
