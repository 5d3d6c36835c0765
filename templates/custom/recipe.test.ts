/** The recipe learns: npm test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tensor } from "sardonyx";
import { openRun, runRecipe } from "sardonyx/node";
import recipe from "./recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "recipe-"));
after(() => rmSync(folder, { recursive: true }));

test("ten epochs tell the spirals apart better than chance", async () => {
  const { evaluation } = await runRecipe(recipe, { epochs: 10 }, { out: join(folder, "run") });
  assert.ok((evaluation.results["accuracy"] ?? 0) > 0.6);
});

test("the trained model answers from its files alone", async () => {
  const run = await openRun(join(folder, "run"));
  assert.deepEqual((await run.predict(tensor([[1, 0]]))).shape, [1, 2]);
});
