/** Folders of adapters: what is in them, what is missing, and that nothing is half-written. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { addLora } from "../index.ts";
import { apart, ids, numbersOf, smallLlama, stir } from "../testing/models.ts";
import { loadAdapter, saveAdapter } from "./adapter-folder.node.ts";

const root = mkdtempSync(join(tmpdir(), "sardonyx-"));
afterAll(() => rmSync(root, { recursive: true }));

async function saved(name: string) {
  const model = smallLlama();
  const set = await addLora(model, { rank: 2 });
  stir(model);
  const folder = join(root, name);
  await saveAdapter(set, folder, { base: "meta-llama/base" });
  return { model, set, folder };
}

test("an adapter comes back from its folder, which holds two files", async () => {
  const { model, folder } = await saved("whole");
  expect(readdirSync(folder).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  expect(readFileSync(join(folder, "adapter_config.json"), "utf8")).toMatch(/"lora_alpha": 2,\n {2}"lora_dropout": 0/);
  const fresh = smallLlama();
  const set = await loadAdapter(fresh, folder, { name: "poems" });
  expect(set.active).toBe("poems");
  expect(apart(await numbersOf(model, ids), await numbersOf(fresh, ids))).toBeLessThan(1e-6);
  await expect(loadAdapter(fresh, folder, { name: "poems" })).rejects.toThrow(/there is an adapter "poems" already/);
  await loadAdapter(fresh, folder, { name: "others" });
  expect(set.names).toEqual(["poems", "others"]);
});

test("files that are missing, pickled or damaged", async () => {
  const { folder } = await saved("damaged");
  const load = () => loadAdapter(smallLlama(), folder);
  const [config, weights] = [join(folder, "adapter_config.json"), join(folder, "adapter_model.safetensors")];
  const bytes = readFileSync(weights);
  writeFileSync(weights, bytes.subarray(0, 300));
  await expect(load()).rejects.toThrow(/damaged: safetensors: .*cut off/);
  rmSync(weights);
  await expect(load()).rejects.toThrow(/has no adapter_model.safetensors, which holds its tensors/);
  writeFileSync(join(folder, "adapter_model.bin"), "PK\u0003\u0004 pickled");
  await expect(load()).rejects.toThrow(/adapter_model.bin is a zip archive.*never run here.*load it with PEFT/);
  writeFileSync(weights, bytes);
  writeFileSync(config, '{ "peft_type": "LORA", ');
  await expect(load()).rejects.toThrow(/adapter_config.json: it is not valid JSON/);
  rmSync(config);
  await expect(load()).rejects.toThrow(/has no adapter_config.json/);
  await expect(loadAdapter(smallLlama(), weights)).rejects.toThrow(/is a file; pass the folder/);
  await expect(loadAdapter(smallLlama(), join(root, "nowhere"))).rejects.toThrow(/there is no folder/);
});

test("a folder that cannot be written keeps what it has", async () => {
  const { set, folder } = await saved("kept");
  const before = readFileSync(join(folder, "adapter_model.safetensors"));
  stir(set.model, 2);
  // A folder stands where the config would.
  rmSync(join(folder, "adapter_config.json"));
  mkdirSync(join(folder, "adapter_config.json", "in-the-way"), { recursive: true });
  await expect(saveAdapter(set, folder)).rejects.toThrow(/cannot write .*adapter_config.json/);
  expect(readdirSync(folder).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  expect(readFileSync(join(folder, "adapter_model.safetensors")).equals(before)).toBe(true);
  writeFileSync(join(root, "file"), "");
  await expect(saveAdapter(set, join(root, "file"))).rejects.toThrow(/cannot write .*file/);
});
