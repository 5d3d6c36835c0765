/** Folding of repeated blocks, in lists and in charts. */
import { describe, expect, test } from "vitest";
import { options, presetNetwork } from "../testing/networks.ts";
import { chartOf } from "./chart.ts";
import { foldLayers, layersIn } from "./fold.ts";
import { inspect } from "./inspect.ts";
import { mermaidOf } from "./mermaid.ts";
import type { InspectedLayer } from "./schema.ts";
import { structureOf } from "./structure.ts";

const layer = (name: string, parameters = 1): InspectedLayer => ({
  name,
  type: "dense",
  kind: "dense",
  role: "hidden",
  outputShape: [1, 2],
  parameters,
  trainable: parameters,
  formula: `${parameters} = ${parameters}`,
  macs: 0,
  runs: 1,
});

/** `a`, or `[first … last](inner)`. */
const shown = (items: ReturnType<typeof foldLayers>): string =>
  items
    .map((item) =>
      "layer" in item ? item.layer.name : `[${item.blocks[0]} … ${item.blocks.at(-1)}](${shown(item.items)})`,
    )
    .join(" ");

describe("lists", () => {
  test("neighbours that are alike in all but their number are one", () => {
    const names = ["stem", "h.0.a", "h.0.b", "h.1.a", "h.1.b", "h.2.a", "h.2.b", "head"];
    const items = foldLayers(names.map((name) => layer(name)));
    expect(shown(items)).toBe("stem [h.0 … h.2](h.0.a h.0.b) head");
    expect(items.reduce((sum, item) => sum + layersIn(item), 0)).toBe(8);
  });

  test("those that differ in anything stay apart, and fold among themselves", () => {
    const blocks = ["h.0.a", "h.0.b", "h.1.a", "h.1.b", "h.2.a", "h.2.b", "h.3.a", "h.3.b"];
    const items = foldLayers(
      blocks.map((name) => layer(name, name.startsWith("h.0") || name.startsWith("h.1") ? 1 : 2)),
    );
    expect(shown(items)).toBe("[h.0 … h.1](h.0.a h.0.b) [h.2 … h.3](h.2.a h.2.b)");
  });

  test("blocks within blocks", () => {
    const names = [
      "s.0.l.0.a",
      "s.0.l.0.b",
      "s.0.l.1.a",
      "s.0.l.1.b",
      "s.1.l.0.a",
      "s.1.l.0.b",
      "s.1.l.1.a",
      "s.1.l.1.b",
    ];
    expect(shown(foldLayers(names.map((name) => layer(name))))).toBe(
      "[s.0 … s.1]([s.0.l.0 … s.0.l.1](s.0.l.0.a s.0.l.0.b))",
    );
  });

  test("parts without a number, and single layers, are not folded", () => {
    expect(shown(foldLayers(["a.x", "a.y", "b.x", "b.y", "c.0", "c.1"].map((name) => layer(name))))).toBe(
      "a.x a.y b.x b.y c.0 c.1",
    );
  });
});

const drawn = (name: string) => {
  const inspected = inspect(presetNetwork(name), options);
  const structure = structureOf(inspected);
  return { structure, chart: chartOf(structure, inspected.inspection), text: mermaidOf(inspected) };
};

describe("structure", () => {
  test("of LeNet-5 is a chain, the function that it shares once for each run", () => {
    const { structure } = drawn("lenet5");
    expect(structure.vertices.map(({ label }) => label)).toEqual([
      "x",
      "c1",
      "tanh",
      "s2",
      "c3",
      "tanh",
      "s4",
      "flatten",
      "c5",
      "tanh",
      "f6",
      "tanh",
      "output",
      "output",
    ]);
    expect(structure.edges).toEqual(structure.vertices.slice(1).map(({ id }) => [id - 1, id]));
  });

  test("of a residual block joins the shortcut", () => {
    const { structure } = drawn("resnet18");
    const joins = structure.vertices.filter(({ kind }) => kind === "join");
    expect(joins.map(({ block }) => block).slice(0, 3)).toEqual(["layer1.0", "layer1.1", "layer2.0"]);
    for (const { id } of joins) expect(structure.edges.filter(([, to]) => to === id)).toHaveLength(2);
  });

  test("has no cycle, although a residual is added within the layer that it goes around", () => {
    const { structure } = drawn("albert_base_v2");
    for (const [from, to] of structure.edges) expect(from, `${from} to ${to}`).not.toBe(to);
    const next = new Map<number, number[]>();
    for (const [from, to] of structure.edges) next.set(from, [...(next.get(from) ?? []), to]);
    const state = new Map<number, "open" | "done">();
    const visit = (id: number): void => {
      expect(state.get(id), `vertex ${id} is on its own way`).not.toBe("open");
      if (state.has(id)) return;
      state.set(id, "open");
      for (const own of next.get(id) ?? []) visit(own);
      state.set(id, "done");
    };
    for (const { id } of structure.vertices) visit(id);
  });
});

describe("charts", () => {
  test("repeated blocks are drawn once, with their number", () => {
    const { text, chart } = drawn("gpt2");
    expect(chart.root.groups.map(({ label }) => label)).toEqual(["transformer.h.0 to 11: 12 blocks alike"]);
    expect(text).toMatchInlineSnapshot(`
      "flowchart TD
        n0(["x<br>1×512"])
        n1["wte<br>embedding<br>1×512×768<br>38,597,376 parameters"]
        n2["wpe<br>positionEmbedding<br>1×512×768<br>786,432 parameters"]
        n123["ln_f<br>layerNorm<br>1×512×768<br>1,536 parameters"]
        n124["lm_head<br>tiedDense<br>1×512×50257"]
        n125(["output<br>1×512×50257"])
        subgraph frame0["transformer.h.0 to 11: 12 blocks alike"]
          n3["ln_1<br>layerNorm<br>1×512×768<br>1,536 parameters"]
          n4["c_attn<br>projection<br>1×512×2304<br>1,771,776 parameters"]
          n5["attn<br>causalAttention<br>1×512×768"]
          n6["c_proj<br>projection<br>1×512×768<br>590,592 parameters"]
          n7(("Add"))
          n8["ln_2<br>layerNorm<br>1×512×768<br>1,536 parameters"]
          n9["c_fc<br>projection<br>1×512×3072<br>2,362,368 parameters"]
          n10["act<br>activation<br>1×512×3072"]
          n11["c_proj<br>projection<br>1×512×768<br>2,360,064 parameters"]
          n12(("Add"))
        end
        n0 --> n1
        n1 --> n2
        n2 --> n3
        n2 --> n7
        n3 --> n4
        n4 --> n5
        n5 --> n6
        n6 --> n7
        n7 --> n8
        n7 --> n12
        n8 --> n9
        n9 --> n10
        n10 --> n11
        n11 --> n12
        n12 --> n123
        n123 --> n124
        n124 --> n125
        classDef embedding fill:#e3d4f7,stroke:#6b7280,color:#111827;
        class n1,n2 embedding;
        classDef normalization fill:#d5f0d8,stroke:#6b7280,color:#111827;
        class n123,n3,n8 normalization;
        classDef dense fill:#ffdfc2,stroke:#6b7280,color:#111827;
        class n124,n4,n6,n9,n11 dense;
        classDef attention fill:#fff0b3,stroke:#6b7280,color:#111827;
        class n5 attention;
      "
    `);
  });

  test("a block that runs twelve times with the same weights", () => {
    expect(drawn("albert_base_v2").text).toContain("albert_layers.0: runs 12 times");
  });

  test.each(["densenet121", "inception_v3", "gpt3_175b", "resnet152", "flan_t5_small"])("%s stays readable", (name) => {
    const { text, chart } = drawn(name);
    expect(text.length).toBeLessThan(50_000);
    expect(chart.edges.length).toBeLessThan(400);
    // Every end of an edge is drawn.
    for (const [from, to] of chart.edges) {
      expect(text).toMatch(new RegExp(`^ *n${from}[[(]`, "m"));
      expect(text).toMatch(new RegExp(`^ *n${to}[[(]`, "m"));
    }
  });
});
