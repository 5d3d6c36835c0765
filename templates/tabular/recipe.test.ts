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

test("it tells the fruits apart better than the most frequent one would", async () => {
  const { evaluation } = await runRecipe(recipe, { epochs: 20 }, { out: join(folder, "run") });
  const majority = evaluation.baselines?.find(({ name }) => name === "majority");
  assert.ok((evaluation.results["accuracy"] ?? 0) > (majority?.test ?? 1));
});

test("the run keeps what its rows are", async () => {
  const { deployment } = await openRun(join(folder, "run"));
  assert.deepEqual(deployment.classes, ["apple", "lemon", "plum"]);
  assert.deepEqual(
    deployment.format?.table?.fields.map(({ name }) => name),
    ["weight_g", "diameter_mm", "colour"],
  );
});
