import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "test/**/*.test.ts",
      "fuzz/**/*.test.ts",
      "recipes/**/*.test.ts",
      "studio/**/*.test.ts",
    ],
    globalSetup: "test/temporary-folder.ts",
    reporters: ["default", "./test/unended-files.ts"],
    // The slowest take 30 seconds; a machine that does other work needs several times that.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // `fit` is a function of ours, so the linter's rule against focused tests is off; this holds it instead.
    allowOnly: false,
    // ONNX Runtime uses every core by itself.
    maxWorkers: 2,
    // Modules hold no state, so files of one worker share them; loading them anew for each took a fifth of the time.
    isolate: false,
  },
});
