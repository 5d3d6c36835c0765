/** One folder for whatever tests put into the system's temporary folder, which is removed when all are done. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Called once before all tests; what it returns, after them. Workers and the programs that they start inherit the variable. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-test-"));
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
