/** The structure of a network as a chart: layers and joins, what flows between them, and the blocks around them. */
import type { Shape } from "../../core/shape.ts";
import type { Graph, Node, Scope, Value } from "../../graph/ir.ts";
import { creditAssignmentPath, weightedPath } from "../depth/depth.ts";
import { shortestPath } from "../depth/paths.ts";
import { type Flow, flowOf } from "../networks/flow.ts";
import { parameterValues } from "../networks/network.ts";
import type { Inspected } from "./inspect.ts";
import type { InspectedLayer, Inspection } from "./schema.ts";

/** A layer's run, a join of several streams, an input or an output. */
export interface Vertex {
  readonly id: number;
  /** Path of the block that it stands in, `layer1.0`; "" for the model itself. */
  readonly block: string;
  /** `conv1`, or the operator of a join. */
  readonly label: string;
  /** What the layer is called where the model comes from: `conv2d`. */
  readonly type: string;
  readonly kind: string;
  readonly outputShape: Shape | null;
  readonly parameters: number;
  readonly macs: number | null;
  /** The layer that runs here, unless it is something else. */
  readonly layer: string | undefined;
}

/** What a definition of depth (docs/depth.md) counts in a structure. */
export interface DepthSense {
  readonly name: string;
  /** The depth. */
  readonly depth: number;
  /** Vertices on the path, from the data on, each joined to the next by an edge; none where the definition counts without one. */
  readonly path: readonly number[];
  /** Vertices that count. */
  readonly counted: readonly number[];
}

export interface Structure {
  readonly vertices: readonly Vertex[];
  readonly edges: readonly (readonly [from: number, to: number])[];
  /** What each definition of depth counts. */
  readonly senses: readonly DepthSense[];
}

/** The structure of an inspected network; empty when only its weights are known. */
export function structureOf({ inspection, network }: Inspected): Structure {
  const forward = network.graphs?.plain ?? network.graphs?.forward;
  if (!forward) return { vertices: [], edges: [], senses: [] };
  const layers = new Map(inspection.layers.map((layer) => [layer.name, layer]));
  const layerOf = new Map<Scope, InspectedLayer>();
  for (const { name, scopes } of network.layers) {
    const layer = layers.get(name);
    if (layer) for (const scope of scopes) layerOf.set(scope, layer);
  }
  const builder = new Builder(forward, parameterValues(network), layerOf);
  const { vertices, edges } = builder.build();
  return { vertices, edges, senses: sensesOf(inspection, vertices, builder) };
}

/** What each definition counts; one of which nothing can be shown is left out. */
function sensesOf(
  { depth, blocks }: Inspection,
  vertices: readonly Vertex[],
  { flow, vertexOf }: Pick<Builder, "flow" | "vertexOf">,
): readonly DepthSense[] {
  const along = (
    name: string,
    own: number | null,
    nodes: readonly Node[],
    counts: (node: Node) => boolean,
  ): DepthSense => {
    const on = (some: readonly Node[]) => some.flatMap((node) => vertexOf.get(node) ?? []);
    // Nodes of one layer are one vertex.
    const path = on(nodes).filter((id, i, all) => id !== all[i - 1]);
    return { name, depth: own ?? 0, path, counted: [...new Set(on(nodes.filter(counts)))] };
  };
  const among = (name: string, own: number | null, counts: (vertex: Vertex) => boolean): DepthSense => ({
    ...{ name, depth: own ?? 0, path: [] },
    counted: vertices.filter(counts).map(({ id }) => id),
  });
  const isIn = (path: string) => blocks.some((block) => path === block || path.startsWith(`${block}.`));
  const senses = [
    along("Weighted layers on the longest path", depth.weighted, weightedPath(flow).nodes, flow.isWeighted),
    among("Layers with parameters", depth.parameterLayers, ({ parameters }) => parameters > 0),
    along("Credit-assignment path", depth.creditAssignmentPath, creditAssignmentPath(flow).nodes, flow.isEvent),
    among("Blocks", depth.blocks, ({ block }) => isIn(block)),
    along("Shortest path", depth.paths?.min ?? 0, shortestPath(flow), flow.isWeighted),
  ];
  return senses.filter(({ depth: own, counted }) => own > 0 && counted.length > 0);
}

const splitPath = (path: string): readonly [block: string, label: string] => {
  const cut = path.lastIndexOf(".");
  return cut < 0 ? ["", path] : [path.slice(0, cut), path.slice(cut + 1)];
};

class Builder {
  readonly #graph: Graph;
  readonly #layerOf: ReadonlyMap<Scope, InspectedLayer>;
  readonly flow: Flow;
  /** The vertex of each node that has one. */
  readonly vertexOf = new Map<Node, number>();
  readonly #vertices: { -readonly [K in keyof Vertex]: Vertex[K] }[] = [];
  /** Edges by where they begin. */
  readonly #next = new Map<number, Set<number>>();
  /** The vertices that a value comes from. */
  readonly #sources = new Map<Value, ReadonlySet<number>>();
  readonly #byScope = new Map<Scope, number>();
  readonly #seen = new Set<InspectedLayer>();

  constructor(graph: Graph, parameters: ReadonlySet<Value>, layerOf: ReadonlyMap<Scope, InspectedLayer>) {
    this.#graph = graph;
    this.#layerOf = layerOf;
    this.flow = flowOf(graph, parameters);
  }

  build(): Pick<Structure, "vertices" | "edges"> {
    const { inputs, outputs, nodes } = this.#graph;
    for (const value of inputs)
      if (this.flow.isActive(value)) {
        const id = this.#add({ block: "", label: value.name ?? "input", kind: "input", outputShape: value.shape });
        this.#sources.set(value, new Set([id]));
      }
    for (const node of nodes) this.#place(node);
    for (const value of outputs) {
      const id = this.#add({ block: "", label: "output", kind: "output", outputShape: value.shape });
      this.#connect(this.#sources.get(value) ?? [], id);
    }
    const edges = [...this.#next].flatMap(([from, to]) => Array.from(to, (id) => [from, id] as const));
    return { vertices: this.#vertices, edges };
  }

  #place(node: Node): void {
    const operands = this.flow.activeOperands(node);
    if (operands.length === 0) return;
    const before = new Set(operands.flatMap((value) => [...(this.#sources.get(value) ?? [])]));
    const id = this.#vertexOf(node, before);
    if (id !== undefined) {
      this.#connect(before, id);
      this.vertexOf.set(node, id);
    }
    for (const output of node.outputs) this.#sources.set(output, id === undefined ? before : new Set([id]));
  }

  /** The vertex of a node's layer, a new one where streams join outside of layers, none where one only passes. */
  #vertexOf(node: Node, before: ReadonlySet<number>): number | undefined {
    const { scope } = node;
    const layer = scope && this.#layerOf.get(scope);
    if (scope && layer) {
      const known = this.#byScope.get(scope);
      // What a layer does after other layers have worked on its result, such as adding a residual, is a join after it.
      if (known !== undefined && [...before].some((id) => id !== known && this.#leadsTo(known, id)))
        return this.#join(node, splitPath(layer.name)[0], before);
      if (known !== undefined) return this.#grown(known, node, layer);
      const [block, label] = splitPath(layer.name);
      const { kind, outputShape, macs, name } = layer;
      const isFirst = !this.#seen.has(layer);
      this.#seen.add(layer);
      const id = this.#add({
        block,
        label,
        type: layer.type,
        kind,
        outputShape: layer.runs > 1 ? node.outputs[0].shape : outputShape,
        parameters: isFirst ? layer.parameters : 0,
        macs,
        layer: name,
      });
      this.#byScope.set(scope, id);
      return id;
    }
    return this.#join(node, scope && scope.path !== "model" ? scope.path : "", before);
  }

  /** A vertex where several streams become one; none for what a single one passes. */
  #join(node: Node, block: string, streams: ReadonlySet<number>): number | undefined {
    if (streams.size < 2 || this.flow.activeOperands(node).length < 2) return undefined;
    return this.#add({ block, label: node.op.type, kind: "join", outputShape: node.outputs[0].shape });
  }

  /** A layer's vertex, another node later: what it gives is what its last node gives. */
  #grown(id: number, node: Node, { runs }: InspectedLayer): number {
    const vertex = this.#vertices[id];
    if (vertex && runs > 1) vertex.outputShape = node.outputs[0].shape;
    return id;
  }

  /** Whether there is a way from one vertex to another. */
  #leadsTo(from: number, to: number): boolean {
    const pending = [from];
    const seen = new Set(pending);
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (id === to) return true;
      for (const next of this.#next.get(id) ?? [])
        if (!seen.has(next)) {
          seen.add(next);
          pending.push(next);
        }
    }
    return false;
  }

  #add(vertex: Pick<Vertex, "block" | "label" | "kind" | "outputShape"> & Partial<Vertex>): number {
    const id = this.#vertices.length;
    this.#vertices.push({ type: vertex.label, parameters: 0, macs: 0, layer: undefined, ...vertex, id });
    return id;
  }

  #connect(from: Iterable<number>, to: number): void {
    for (const id of from) if (id !== to) this.#next.set(id, (this.#next.get(id) ?? new Set()).add(to));
  }
}
