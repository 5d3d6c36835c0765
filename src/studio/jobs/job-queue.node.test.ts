/** The queue: one after another, in a folder that is made for the first, stopped as Ctrl-C does, with what a failure said. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { folderFor, JobQueue } from "./job-queue.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sardonyx-queue-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A queue whose commands are programs of JavaScript, and what waits for a job. */
function queueOf() {
  const waiting = new Set<() => void>();
  const queue = new JobQueue({
    root: join(folder, "runs"),
    program: [process.execPath, "-e"],
    onChange: () => {
      for (const wake of waiting) wake();
    },
  });
  const until = (is: (states: readonly string[]) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!is(queue.jobs.map(({ state }) => state).reverse())) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { queue, until };
}

test("trainings follow one another, and the folder is made for the first", async () => {
  const { queue, until } = queueOf();
  queue.add("one", ["require('fs').writeFileSync('one', '')"]);
  queue.add("two", ["if (!require('fs').existsSync('one')) process.exit(1)"]);
  expect(queue.jobs.map(({ state }) => state)).toEqual(["waiting", "running"]);
  await until((states) => states.every((state) => state === "done"));
  expect(existsSync(join(folder, "runs/one"))).toBe(true);
});

test("one that is stopped ends as by Ctrl-C, and one that waits leaves the queue; a failure is told", async () => {
  const { queue, until } = queueOf();
  const endless =
    "process.on('SIGINT', () => process.exit(130)); setInterval(() => undefined, 1000); console.error('begun')";
  const first = queue.add("one", [endless]);
  const second = queue.add("two", ["0"]);
  queue.add("three", ["console.error('it went wrong'); process.exitCode = 2"]);
  expect(() => queue.add("one", ["0"])).toThrow("one is in the queue already; stop it first, or name another folder");
  queue.stop(second.id);
  // The handler is there once it says so.
  while (!queue.jobs.at(-1)?.message.includes("begun")) await new Promise((resolve) => setTimeout(resolve, 10));
  queue.stop(first.id);
  await until(([one, two, three]) => one === "stopped" && two === "stopped" && three === "failed");
  expect(queue.jobs[0]?.message).toBe("it went wrong\n");
  expect(() => queue.stop(first.id)).toThrow(OptionError);
  await queue.close();
});

test("closing ends what runs, and waits for it", async () => {
  const { queue } = queueOf();
  queue.add("one", ["setInterval(() => undefined, 1000)"]);
  queue.add("two", ["0"]);
  await queue.close();
  expect(queue.jobs.map(({ state }) => state)).toEqual(["stopped", "stopped"]);
});

test("names of folders lead nowhere else", () => {
  expect(folderFor("/runs", "a/b-2")).toBe(join("/runs", "a/b-2"));
  expect(folderFor("/runs", "语音 1")).toBe(join("/runs", "语音 1"));
  for (const name of ["", "..", "../a", "/a", "a/../b", "a//b", ".a", "a/", "a\\b", "a\0b", "x".repeat(201)])
    expect(() => folderFor("/runs", name), name).toThrow(OptionError);
});
