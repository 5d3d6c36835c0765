/** The recipe learns: npm test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openRun, runRecipe } from "sardonyx/node";
import recipe from "./recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "recipe-"));
after(() => rmSync(folder, { recursive: true }));

test("it tells the shapes apart better than chance", async () => {
  const { evaluation } = await runRecipe(recipe, { epochs: 20 }, { out: join(folder, "run") });
  assert.ok((evaluation.results["accuracy"] ?? 0) > 0.5);
});

test("the run keeps its classes", async () => {
  assert.deepEqual((await openRun(join(folder, "run"))).deployment.classes, ["circle", "square", "triangle"]);
});
