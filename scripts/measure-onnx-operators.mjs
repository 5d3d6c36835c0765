/**
 * Runs ONNX's own models of operators and writes docs/onnx-operators.md: node scripts/measure-onnx-operators.mjs
 * The models are those of Debian's package libonnx-testdata.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { register } from "tsx/esm/api";
import { root } from "./prepare.mjs";

register();
const { isInstalled, runOperatorModels } = await import("../src/formats/testing/operator-models.node.ts");
const { operatorPage } = await import("../src/formats/testing/operator-page.ts");

if (!isInstalled) {
  console.error("The models are not there; install them: apt-get install libonnx-testdata");
  process.exit(1);
}
const page = operatorPage(await runOperatorModels());
writeFileSync(join(root, "docs/onnx-operators.md"), page);
console.log(/\*\*(.*)\*\*/.exec(page)?.[1]);
