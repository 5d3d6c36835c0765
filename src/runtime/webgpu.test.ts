/** Computing on a graphics card: what stays there, what is read, and what is said where there is none. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { hasSoftwareGpu } from "../../test/software-gpu.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { input } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { mul, reduceSum } from "../ops/index.ts";
import { DeviceTensor } from "./device-tensor.ts";

test.skipIf(!hasSoftwareGpu)("an output stays on the card, and is an input of the next run", async () => {
  const x = input("float32", [3], "x");
  const doubled = mul(x, 2);
  const { run, session } = await compile([x], [doubled, reduceSum(x)], { device: "webgpu" }, new Set([doubled]));
  const held = new DeviceTensor("float32", [3]);
  const [first, sum] = await run([tensor([1, 2, 3])], [held, undefined]);
  expect(first).toBe(held);
  expect(sum?.item()).toBe(6);
  expect(() => held.data).toThrow("await trainer.sync()");
  const [, next] = await run([held], [held, undefined]);
  expect(next?.item()).toBe(12);
  expect((await run([held]))[1]?.item()).toBe(24);
  held.release();
  await expect(run([held])).rejects.toThrow("await trainer.sync()");
  await session.release();
});

test("a tensor whose elements are elsewhere reads them when they are asked for", () => {
  let asked = 0;
  const lazy = new Tensor("float32", [2], () => {
    asked++;
    return Float32Array.of(3, 4);
  });
  expect(asked).toBe(0);
  expect(lazy.toArray()).toEqual([3, 4]);
  expect(lazy.reshape([1, 2]).shape).toEqual([1, 2]);
});

test("without a card the mend is told", () => {
  const program = `
    import { jit, ops, tensor } from ${JSON.stringify(new URL("../../dist/src/index.js", import.meta.url).href)};
    await jit((x) => ops.add(x, 1), { device: "webgpu" })(tensor([1])).catch((error) => console.log(error.message));
    process.exit(0);
  `;
  const env = { ...process.env, VK_ICD_FILENAMES: "/nonexistent" };
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env });
  expect(stdout).toContain('device "webgpu" found no graphics card that it can use; install the driver of the card');
});
