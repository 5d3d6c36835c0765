/** Models in GGUF files against Hugging Face's library, which ran the same weights. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openPath } from "../../cli/inspect/open-file.ts";
import { tensor } from "../../core/tensor.ts";
import { integers } from "../../models/testing/fill.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import { loadModel } from "../files/load-model.node.ts";
import { run } from "../testing/run.ts";
import { ggufPath, recordedGguf } from "./testing/recorded.node.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(Object.entries(recordedGguf.logits))(
  "%s is loaded, and gives the library's logits",
  async (name, { shape, data }) => {
    const model = await loadModel(ggufPath(name), { inputs: [2, 7] });
    const [logits] = await run(model, { x: integers("ids", [2, 7], 13) });
    expectClose(logits, tensor(data, { shape }), "logits");
    expect([...model.parameters().values()].every(({ trainable }) => trainable)).toBe(true);
  },
);

describe("files that are broken", () => {
  const bytes = readFileSync(ggufPath("llama"));
  const written = (name: string, content: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test("wherever one is cut off, that is said", async () => {
    for (const length of [4, 12, 60, 900, 1500, bytes.length - 40]) {
      const path = written(`cut-${length}.gguf`, bytes.subarray(0, length));
      await expect(loadModel(path), `${length} bytes`).rejects.toThrow(/cut off or damaged/);
    }
  });

  test("whatever byte of the header is another, the file is read or refused in a sentence", async () => {
    let refused = 0;
    for (let at = 4; at < 1200; at += 13) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      const outcome = await loadModel(written("flipped.gguf", changed)).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (outcome === undefined) continue;
      refused++;
      expect((outcome as Error).constructor.name, `byte ${at}: ${(outcome as Error).message}`).toMatch(
        /^(File|Option|Shape)Error$/,
      );
    }
    expect(refused).toBeGreaterThan(10);
  });
});

test("an architecture that is not loaded is inspected by its weights, and says so", async () => {
  const other = Buffer.from(bytes("llama"));
  const at = other.indexOf("llama");
  other.write("gptxx", at);
  const path = join(folder, "other.gguf");
  writeFileSync(path, other);
  await expect(loadModel(path)).rejects.toThrow(
    'its architecture is "gptxx", and models of llama, mistral, qwen2, qwen3 are loaded from GGUF',
  );
  const { notes, parameters } = await openPath(path, {});
  expect(parameters.length).toBeGreaterThan(10);
  expect(notes.at(-1)).toContain('its architecture is "gptxx"');
});

const bytes = (name: string) => readFileSync(ggufPath(name));
