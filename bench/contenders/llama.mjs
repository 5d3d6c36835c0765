// Owns the made-up Llama of the works on it: a GGUF file, written once a process into the folder of temporary files.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../scripts/make-llama.mjs", import.meta.url));

/** By work: how the file stores its matrices. */
export const llamaWorks = { "llama-generate": "f32", "llama-generate-4bit": "q4_0" };

/** Tokens that a text may have, and those that it begins with. */
export const [capacity, prompt] = [256, Array.from({ length: 32 }, (_, i) => i + 1)];

/** What `read` makes of a file of this type. */
export async function withLlama(type, read) {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-llama-"));
  try {
    const file = join(folder, `${type}.gguf`);
    execFileSync(process.execPath, [script, file, type]);
    return await read(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
