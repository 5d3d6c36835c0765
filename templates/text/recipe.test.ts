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

test("it learns the sentences that it is trained on", async () => {
  const { history } = await runRecipe(recipe, { epochs: 30 }, { out: join(folder, "run") });
  assert.ok((history.at(-1)?.["accuracy"] ?? 0) > 0.7);
});

test("the run keeps its words and classes", async () => {
  assert.deepEqual((await openRun(join(folder, "run"))).deployment.classes, ["food", "travel", "weather"]);
});
