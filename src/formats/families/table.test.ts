/** The table of families in docs/formats.md. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { families } from "../huggingface.ts";

const path = fileURLToPath(new URL("../../../docs/formats.md", import.meta.url));

test("docs/formats.md lists every family with its classes", async () => {
  const text = readFileSync(path, "utf8");
  const rows = [...families.values()].map(({ type, names }) => `| ${type} | ${names.join(", ")} |`);
  const table = ["<!-- families -->", "| Family | Classes |", "| --- | --- |", ...rows, "<!-- /families -->"].join(
    "\n",
  );
  await expect(text.replace(/<!-- families -->[\s\S]*<!-- \/families -->/, () => table)).toMatchFileSnapshot(path);
});
