/** Audits of membership: a model that gives nothing away, one that gives everything away, and the bound by hand. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { auditMembership } from "./audit.ts";

const random = new Random(keyOf(1));

test("losses that do not differ bound nothing", () => {
  const { epsilon, area } = auditMembership(random.normals(1000), random.normals(1000));
  expect(epsilon).toBe(0);
  expect(area).toBeCloseTo(0.5, 1);
});

test("losses that differ always bound epsilon by the number of guesses", () => {
  const audit = auditMembership(new Float32Array(100).fill(0), new Float32Array(100).fill(1), { guesses: 1 });
  expect([audit.guesses, audit.right, audit.area]).toEqual([200, 200, 1]);
  // All of 200 right: (1 / (1 + e^-epsilon))^200 = 0.05.
  expect(audit.epsilon).toBeCloseTo(-Math.log(0.05 ** (-1 / 200) - 1), 6);
});

test("randomized response of epsilon 1 is found to spend less, and not much less", () => {
  const share = 1 / (1 + Math.exp(-1));
  const answers = (truth: number) =>
    Float32Array.from({ length: 20_000 }, () => (random.uniform() < share ? truth : 1 - truth));
  const [members, others] = [answers(0), answers(1)];
  const { epsilon } = auditMembership(members, others, { guesses: 1 });
  expect(epsilon).toBeLessThan(1.02);
  expect(epsilon).toBeGreaterThan(0.95);
  // A delta explains some of it.
  expect(auditMembership(members, others, { guesses: 1, delta: 1e-5 }).epsilon).toBeLessThan(epsilon);
});

test("what is no pair of losses is refused", () => {
  expect(() => auditMembership([1], [1, 2])).toThrow(/pass as many of both/);
  expect(() => auditMembership([], [])).toThrow(/one at least/);
  expect(() => auditMembership([Number.NaN], [1])).toThrow(/no number/);
});
