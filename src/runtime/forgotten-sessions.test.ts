/** Sessions that nobody holds any more are released without being asked for, though the garbage collector does not see their memory. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const program = `
  import { jit, ops, tensor } from ${JSON.stringify(new URL("../../dist/src/index.js", import.meta.url).href)};
  const held = [];
  for (let i = 1; i <= 600; i++) {
    await jit((x) => ops.add(x, i))(tensor([[1, 2]]));
    if (i % 200 === 0) held.push(process.memoryUsage().rss);
  }
  console.log(JSON.stringify(held));
`;

test("600 functions that are called once take no more memory than 200", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(stderr).toBe("");
  const [after200 = 0, , after600 = 0] = JSON.parse(stdout) as readonly number[];
  // A session of such a function takes 0.16 MB: 400 of them would be 64 MB.
  expect((after600 - after200) / 1e6).toBeLessThan(20);
});
