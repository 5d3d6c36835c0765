/**
 * Makes test/fixtures/data/records: reviews and chats as Parquet, with nested columns, in row groups of two and by Snappy.
 *
 *   node scripts/make-parquet-fixtures.mjs
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteFile } from "hyparquet-writer";

const out = join(dirname(fileURLToPath(import.meta.url)), "../test/fixtures/data/records");
mkdirSync(out, { recursive: true });

parquetWriteFile({
  filename: join(out, "reviews.parquet"),
  columnData: [
    { name: "text", data: ["Fine, and short.", "Dull.", "A “grand” day — über alles"], type: "STRING" },
    { name: "label", data: [1n, 0n, 1n], type: "INT64" },
    { name: "stars", data: [4.5, 1, 5], type: "DOUBLE" },
  ],
  rowGroupSize: 2,
});

const text = (name) => ({ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" });
parquetWriteFile({
  filename: join(out, "chats.parquet"),
  schema: [
    { name: "root", num_children: 2 },
    { name: "messages", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "OPTIONAL", num_children: 3 },
    text("role"),
    text("content"),
    text("name"),
    text("source"),
  ],
  columnData: [
    {
      name: "messages",
      data: [
        [
          { role: "user", content: "2 + 2?", name: "Ada" },
          { role: "assistant", content: "4" },
        ],
        [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Grüße?" },
          { role: "assistant", content: "Ja." },
        ],
      ],
    },
    { name: "source", data: ["sums", null] },
  ],
});
