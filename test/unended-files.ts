/** Names the test files that did not end, since the process that ran them was ended, and their last tests: the error alone does not say. */
import type { Reporter, TestCase, TestModule } from "vitest/node";

export default class UnendedFiles implements Reporter {
  /** Of files that have begun: the last of their tests that began. */
  readonly #running = new Map<string, string | undefined>();

  onTestModuleStart({ relativeModuleId }: TestModule): void {
    this.#running.set(relativeModuleId, undefined);
  }

  onTestCaseReady({ module, fullName }: TestCase): void {
    this.#running.set(module.relativeModuleId, fullName);
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#running.delete(relativeModuleId);
  }

  onTestRunEnd(): void {
    for (const [file, test] of this.#running)
      console.error(`${file}: the process that ran it died${test ? `, at or after the test "${test}"` : ""}.`);
  }
}
