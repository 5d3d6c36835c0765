/** ONNX's own models of operators: docs/onnx-operators.md says which agree with their recorded outputs, and why the others do not. */
import { expect, test } from "vitest";
import { isInstalled, runOperatorModels } from "./testing/operator-models.node.ts";
import { operatorPage } from "./testing/operator-page.ts";

// Without Debian's package libonnx-testdata, which `.ci/run` installs, there is nothing to run.
test.skipIf(!isInstalled)("docs/onnx-operators.md says what ONNX's own models give", async () => {
  const page = operatorPage(await runOperatorModels());
  await expect(page).toMatchFileSnapshot("../../docs/onnx-operators.md");
});
