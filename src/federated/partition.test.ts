/** Partitions lose no sample and repeat none, and have the mixes of classes that are asked for. */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { tensor } from "../core/tensor.ts";
import { classPartition, dirichletPartition, type Partition } from "./partition.ts";

const labels = (count: number, classes: number) =>
  tensor(
    Array.from({ length: count }, (_, i) => (7 * i + (i >> 3)) % classes),
    { dtype: "int32" },
  );
const classesOf = (parts: Partition, own: ReturnType<typeof labels>) =>
  parts.map((part) => new Set(Array.from(part, (i) => own.data[i])).size);
const everySample = (parts: Partition) => parts.flatMap((part) => [...part]).sort((a, b) => a - b);

describe.each([
  ["dirichlet, alpha 0.5", 1000, 10, (own: ReturnType<typeof labels>) => dirichletPartition(own, { clients: 37 })],
  // 0.001 underflows but for logarithms.
  [
    "dirichlet, alpha 0.001",
    1000,
    10,
    (own: ReturnType<typeof labels>) => dirichletPartition(own, { clients: 37, alpha: 0.001 }),
  ],
  [
    "dirichlet, as many clients as samples",
    50,
    3,
    (own: ReturnType<typeof labels>) => dirichletPartition(own, { clients: 50 }),
  ],
  ["two classes each", 1000, 10, (own: ReturnType<typeof labels>) => classPartition(own, { clients: 100 })],
  [
    "all classes each",
    200,
    4,
    (own: ReturnType<typeof labels>) => classPartition(own, { clients: 7, classesPerClient: 4 }),
  ],
  [
    "as many shards as samples",
    40,
    4,
    (own: ReturnType<typeof labels>) => classPartition(own, { clients: 20, classesPerClient: 2 }),
  ],
] as const)("%s", (_, count, classes, split) => {
  test("has each sample once, and one at least for each client", () => {
    const parts = split(labels(count, classes));
    expect(everySample(parts)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(Math.min(...parts.map((part) => part.length))).toBeGreaterThan(0);
  });
});

test("each client has exactly as many classes as it is to have", () => {
  const own = tensor(
    Array.from({ length: 1000 }, (_, i) => i % 10),
    { dtype: "int32" },
  );
  for (const classesPerClient of [1, 2, 3, 10])
    expect(new Set(classesOf(classPartition(own, { clients: 50, classesPerClient }), own))).toEqual(
      new Set([classesPerClient]),
    );
});

test("alpha moves a client's mix from one class to that of the data", () => {
  const own = tensor(
    Array.from({ length: 5000 }, (_, i) => i % 10),
    { dtype: "int32" },
  );
  /** Mean share of a client's most frequent class: 0.1 is that of the data. */
  const peak = (alpha: number) => {
    const parts = dirichletPartition(own, { clients: 20, alpha });
    return (
      parts.reduce((sum, part) => {
        const counts = Array.from({ length: 10 }, (_, c) => part.filter((i) => own.data[i] === c).length);
        return sum + Math.max(...counts) / part.length;
      }, 0) / parts.length
    );
  };
  expect(peak(1000)).toBeLessThan(0.15);
  expect(peak(1)).toBeGreaterThan(0.3);
  // At the end what is left decides.
  expect(peak(0.01)).toBeGreaterThan(0.7);
});

test("the key decides", () => {
  const own = labels(300, 5);
  for (const split of [dirichletPartition, classPartition]) {
    expect(split(own, { clients: 9, key: keyOf(4) })).toEqual(split(own, { clients: 9, key: keyOf(4) }));
    expect(split(own, { clients: 9, key: keyOf(4) })).not.toEqual(split(own, { clients: 9, key: keyOf(5) }));
  }
});

test("what cannot be split is refused", () => {
  expect(() => dirichletPartition(labels(5, 2), { clients: 6 })).toThrow(
    "dirichletPartition: 5 samples for 6 clients, expected at least one for each; take fewer clients",
  );
  expect(() => classPartition(labels(50, 2), { clients: 26 })).toThrow(DataError);
  expect(() => classPartition(labels(50, 2), { clients: 3, classesPerClient: 3 })).toThrow(OptionError);
  const ten = tensor(
    Array.from({ length: 50 }, (_, i) => i % 10),
    { dtype: "int32" },
  );
  expect(() => classPartition(ten, { clients: 3, classesPerClient: 2 })).toThrow(
    "classPartition: 3 clients of 2 classes have 6 shards for 10 classes; take more clients, or more classes for each",
  );
  expect(() => dirichletPartition(ten, { clients: 0 })).toThrow(OptionError);
  expect(() => dirichletPartition(ten, { clients: 2, alpha: 0 })).toThrow("alpha is 0; pass a number above 0");
});
