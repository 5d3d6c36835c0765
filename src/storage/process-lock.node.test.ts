/** Locks between processes: held, given back, left by processes that ended, and of other machines. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Lock, ownerOf, tryLock } from "./process-lock.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "lock");

/** The lock, which nobody has. */
function locked(): Lock {
  const found = tryLock(path);
  if ("release" in found) return found;
  throw new Error(`locked by ${found.pid}`);
}

test("a lock is had once, and again when it was given back", () => {
  const { release, leftBy } = locked();
  expect(leftBy).toBe(undefined);
  expect(tryLock(path)).toMatchObject({ pid: process.pid });
  const owner = ownerOf(path);
  expect(owner).toMatchObject({ pid: process.pid, host: hostname() });
  expect(Math.abs(Date.now() - Date.parse(owner?.since ?? ""))).toBeLessThan(60_000);
  release();
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ["a process that ended", () => execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" })],
  ["nobody", () => "no process\n"],
])("a lock that %s left is taken over", (_, content) => {
  writeFileSync(path, content());
  expect(ownerOf(path)).toBe(undefined);
  locked().release();
  expect(existsSync(path)).toBe(false);
});

test("a lock of another machine counts while it is touched", () => {
  writeFileSync(path, "1\nanother-machine\n");
  expect(tryLock(path)).toMatchObject({ pid: 1, host: "another-machine" });
  utimesSync(path, new Date(0), new Date(0));
  expect(ownerOf(path)).toBe(undefined);
  rmSync(path);
});

test.runIf(process.platform === "linux")("a lock of another process that had the number before is taken over", () => {
  const { release } = locked();
  const [pid, host, since, incarnation = ""] = readFileSync(path, "utf8").split("\n");
  release();
  writeFileSync(path, [pid, host, since, incarnation.replace(/\d+$/, "1"), ""].join("\n"));
  expect(ownerOf(path)).toBe(undefined);
  const { leftBy, release: again } = locked();
  expect(leftBy).toMatchObject({ pid: process.pid, since });
  again();
});
