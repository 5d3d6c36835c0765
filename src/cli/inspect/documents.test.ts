/** Inspections as documents for other programs. */
import { expect, test } from "vitest";
import { onnxNetwork } from "../../analyze/networks/onnx-network.ts";
import { inspect } from "../../analyze/report/inspect.ts";
import { options } from "../../analyze/testing/networks.ts";
import { memorySource } from "../../core/byte-source.ts";
import { importModel } from "../../onnx/import.ts";
import { fileOfGraph, node, typed, zeros } from "../../onnx/testing/build-file.ts";
import { documentOf } from "./documents.ts";

test("a layer whose name begins as a formula is no formula in a table of values", async () => {
  const file = fileOfGraph({
    input: [typed("x", "float32", 1, 4)],
    node: [{ ...node("MatMul", ["x", "w"], ["y"]), name: "=cmd|' /C calc'!A0" }],
    output: [typed("y", "float32", 1, 2)],
    initializer: [zeros("w", 4, 2)],
  });
  const inspected = inspect(onnxNetwork("test", importModel(memorySource(file))), options);
  const [, row = ""] = (await documentOf("csv", inspected, { all: true, columns: 80 })).split("\n");
  expect(row).toMatch(/^'=cmd\|'/);
});
