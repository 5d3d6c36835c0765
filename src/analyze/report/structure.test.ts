/** What definitions of depth count in the structure that reports draw. */
import { describe, expect, test } from "vitest";
import { weightsNetwork } from "../networks/weights-network.ts";
import { options, presetNetwork } from "../testing/networks.ts";
import { inspect } from "./inspect.ts";
import { structureOf } from "./structure.ts";

describe("what definitions of depth count", () => {
  test.each(["resnet50", "densenet121", "bert_base_uncased", "lstm"])("of %s: paths along the edges", (name) => {
    const { edges, senses, vertices } = structureOf(inspect(presetNetwork(name), options));
    const joined = new Set(edges.map(String));
    expect(senses.map((sense) => sense.name)).toContain("Credit-assignment path");
    for (const { name: sense, depth, path, counted } of senses) {
      expect(depth, sense).toBeGreaterThan(0);
      expect(counted.every((id) => vertices[id]?.id === id)).toBe(true);
      for (const [i, id] of path.slice(1).entries())
        expect(joined, `${sense}: ${path[i]} to ${id}`).toContain(`${path[i]},${id}`);
      if (path.length > 0) expect(path).toEqual(expect.arrayContaining([...counted]));
    }
  });

  test("nothing of weights alone", () => {
    expect(structureOf(inspect(weightsNetwork("w", "a file", []), options)).senses).toEqual([]);
  });
});
