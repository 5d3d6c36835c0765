/** Names the test files that did not end, since the process that ran them died, and their last tests: the error alone does not say. */
import type { Reporter, TestCase, TestModule } from "vitest/node";

export default class UnendedFiles implements Reporter {
  /** By file: the last of its tests that began. */
  readonly #last = new Map<string, string>();

  onTestCaseReady({ module, fullName }: TestCase): void {
    this.#last.set(module.id, fullName);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      if (module.state() !== "pending" && module.state() !== "queued") continue;
      const test = this.#last.get(module.id);
      console.error(
        `${module.relativeModuleId}: the process that ran it died${test ? `, at or after the test "${test}"` : ""}.`,
      );
    }
  }
}
