/** The schema of the JSON is published as JSON Schema, for programs that are not TypeScript. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as z from "zod";
import { inspectionSchema } from "./schema.ts";

test("docs/inspection.schema.json is the schema (npx vitest -u writes it anew)", async () => {
  const path = fileURLToPath(new URL("../../../docs/inspection.schema.json", import.meta.url));
  const schema = z.toJSONSchema(inspectionSchema);
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(path);
});
