/** Locks between processes: held, given back, left by processes that ended, and of other machines. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ownerOf, tryLock } from "./process-lock.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "lock");

test("a lock is had once, and again when it was given back", () => {
  const release = tryLock(path);
  if (typeof release === "number") return expect.fail("locked already");
  expect(tryLock(path)).toBe(process.pid);
  expect(ownerOf(path)).toBe(process.pid);
  release();
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ["a process that ended", () => execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" })],
  ["nobody", () => "no process\n"],
])("a lock that %s left is taken over", (_, content) => {
  writeFileSync(path, content());
  expect(ownerOf(path)).toBe(undefined);
  const release = tryLock(path);
  if (typeof release === "number") return expect.fail("still locked");
  release();
  expect(existsSync(path)).toBe(false);
});

test("a lock of another machine counts while it is touched", () => {
  writeFileSync(path, "1\nanother-machine\n");
  expect(tryLock(path)).toBe(1);
  utimesSync(path, new Date(0), new Date(0));
  expect(ownerOf(path)).toBe(undefined);
  rmSync(path);
});
