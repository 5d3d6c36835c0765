/**
 * The graph to explore, within a page: boxes that open and close, the plane that moves and zooms. Runs in a browser, after
 * dagre, on the data that the page carries; it must not import anything that remains in JavaScript.
 */

/** What the page carries, see page.ts. */
export interface ExplorerData {
  readonly vertices: readonly {
    readonly id: number;
    readonly block: string;
    readonly label: string;
    readonly type: string;
    readonly kind: string;
    readonly shape: string;
    readonly parameters: number;
    /** How the number of parameters comes about; "" where there are none. */
    readonly formula: string;
    readonly macs: number;
  }[];
  readonly edges: readonly (readonly [number, number])[];
  /** What each definition of depth counts, and the path along which it does; see `DepthSense`. */
  readonly senses: readonly {
    readonly name: string;
    readonly depth: number;
    readonly path: readonly number[];
    readonly counted: readonly number[];
  }[];
}

/** The part of dagre that is used. */
interface Dagre {
  readonly graphlib: { readonly Graph: new (options: { compound: boolean }) => DagreGraph };
  layout(graph: DagreGraph): void;
}
interface Placed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
interface DagreGraph {
  setGraph(options: object): void;
  setDefaultEdgeLabel(make: () => object): void;
  setNode(id: string, value: object): void;
  setParent(id: string, parent: string): void;
  setEdge(from: string, to: string): void;
  node(id: string): Placed;
  edges(): readonly { readonly v: string; readonly w: string }[];
  edge(edge: { readonly v: string; readonly w: string }): {
    readonly points: readonly { readonly x: number; readonly y: number }[];
  };
  graph(): { readonly width?: number; readonly height?: number };
}

/** What is drawn as one box: a layer, or a closed block. */
interface Box {
  readonly key: string;
  readonly lines: readonly string[];
  readonly kind: string;
  readonly parent: string;
  /** Path of the block that opens by a click. */
  readonly block: string | undefined;
}

const lineHeight = 16;
const characterWidth = 7.7;
/** The page opens with about so many boxes. */
const boxesAtFirst = 24;
/** Formulas of more characters would make boxes too wide. */
const longestFormula = 34;

const svgNamespace = "http://www.w3.org/2000/svg";

function element(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const made = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The paths of all blocks around a path, the outermost first. */
function ancestors(path: string): string[] {
  const parts = path === "" ? [] : path.split(".");
  return parts.map((_, i) => parts.slice(0, i + 1).join("."));
}

/** `1,234,567` or `4.09 G`. */
const grouped = (value: number): string => value.toLocaleString("en-US");
function short(value: number): string {
  const prefixes = ["", " k", " M", " G", " T", " P"];
  let [scaled, power] = [value, 0];
  while (scaled >= 1000 && power < prefixes.length - 1) {
    scaled /= 1000;
    power++;
  }
  return `${power === 0 ? scaled : scaled.toPrecision(3)}${prefixes[power]}`;
}

/** Draws the graph into `host` and lets it be explored. */
function explore(host: HTMLElement, { vertices, edges, senses }: ExplorerData, dagre: Dagre): void {
  const inside = new Map<string, number[]>();
  for (const { id, block } of vertices)
    for (const path of ancestors(block)) inside.set(path, [...(inside.get(path) ?? []), id]);
  // A block of one layer is that layer.
  const blocks = new Set([...inside].filter(([, own]) => own.length > 1).map(([path]) => path));
  const open = new Set<string>();
  /** The definition of depth that is lit up. */
  let chosen = -1;

  const closedAround = (block: string): string | undefined =>
    ancestors(block).find((path) => blocks.has(path) && !open.has(path));

  const boxOf = (id: number): Box => {
    const vertex = vertices[id] as ExplorerData["vertices"][number];
    const closed = closedAround(vertex.block);
    const parentOf = (path: string) =>
      ancestors(path)
        .filter((own) => blocks.has(own) && open.has(own))
        .at(-1) ?? "";
    if (closed !== undefined) {
      const own = (inside.get(closed) ?? []).map((other) => vertices[other] as ExplorerData["vertices"][number]);
      const parameters = own.reduce((sum, other) => sum + other.parameters, 0);
      const macs = own.reduce((sum, other) => sum + other.macs, 0);
      return {
        key: `block ${closed}`,
        lines: [`▸ ${closed}`, `${own.length} layers`, `${grouped(parameters)} parameters`, `${short(macs)} MACs`],
        kind: "block",
        parent: parentOf(closed.slice(0, Math.max(0, closed.lastIndexOf(".")))),
        block: closed,
      };
    }
    const { label, type, kind, shape, parameters, formula, macs, block } = vertex;
    const lines = [
      label === type ? label : `${label}: ${type}`,
      shape,
      ...(parameters > 0
        ? [formula !== "" && formula.length <= longestFormula ? formula : `${grouped(parameters)} parameters`]
        : []),
      ...(macs > 0 ? [`${short(macs)} MACs`] : []),
    ];
    return {
      key: `layer ${id}`,
      lines: kind === "join" ? [label] : lines,
      kind,
      parent: parentOf(block),
      block: undefined,
    };
  };

  const svg = element("svg", { width: "100%", height: "100%" });
  const plane = element("g", {});
  svg.append(plane);
  host.replaceChildren(svg);
  let view = { x: 0, y: 0, scale: 1 };
  const place = () => plane.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);

  const draw = (fit: boolean) => {
    const boxes = new Map<string, Box>();
    const keyOf = new Map<number, string>();
    for (const { id } of vertices) {
      const box = boxOf(id);
      boxes.set(box.key, box);
      keyOf.set(id, box.key);
    }
    const graph = new dagre.graphlib.Graph({ compound: true });
    graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 34, marginx: 16, marginy: 16 });
    graph.setDefaultEdgeLabel(() => ({}));
    const frames = new Set<string>();
    for (const { parent } of boxes.values()) for (const path of ancestors(parent)) if (open.has(path)) frames.add(path);
    for (const path of frames) graph.setNode(`frame ${path}`, {});
    for (const path of frames) {
      const outer = ancestors(path)
        .slice(0, -1)
        .filter((own) => frames.has(own))
        .at(-1);
      if (outer !== undefined) graph.setParent(`frame ${path}`, `frame ${outer}`);
    }
    for (const { key, lines, parent } of boxes.values()) {
      const width = Math.max(60, characterWidth * Math.max(...lines.map((line) => line.length)) + 20);
      graph.setNode(key, { width, height: lines.length * lineHeight + 12 });
      if (parent !== "") graph.setParent(key, `frame ${parent}`);
    }
    for (const [from, to] of edges) {
      const [v, w] = [keyOf.get(from), keyOf.get(to)];
      if (v !== undefined && w !== undefined && v !== w) graph.setEdge(v, w);
    }
    dagre.layout(graph);
    plane.replaceChildren();
    const ordered = [...frames].sort((a, b) => a.length - b.length);
    for (const path of ordered) plane.append(frameOf(path, graph.node(`frame ${path}`)));
    const lit = litBoxes(keyOf);
    for (const edge of graph.edges()) {
      const { points } = graph.edge(edge);
      const shade = lit?.edges.has(`${edge.v} ${edge.w}`) ? " lit" : lit ? " unlit" : "";
      const d = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
      plane.append(
        element("path", { d, class: `edge${shade}`, "marker-end": `url(#arrow${shade === " lit" ? "-lit" : ""})` }),
      );
    }
    for (const box of boxes.values()) {
      const drawn = drawnBox(box, graph.node(box.key));
      if (lit) drawn.classList.add(lit.counted.has(box.key) ? "counted" : lit.passed.has(box.key) ? "passed" : "unlit");
      plane.append(drawn);
    }
    if (fit) {
      const { width = 1, height = 1 } = graph.graph();
      const scale = Math.min(1.2, Math.max(0.7, Math.min(host.clientWidth / width, host.clientHeight / height)));
      view = { x: Math.max(8, (host.clientWidth - scale * width) / 2), y: 8, scale };
    }
    place();
  };

  /** What the chosen definition of depth counts and passes among the boxes that are drawn; nothing where none is chosen. */
  const litBoxes = (keyOf: ReadonlyMap<number, string>) => {
    const sense = senses[chosen];
    if (!sense) return undefined;
    const keys = (ids: readonly number[]) => new Set(ids.map((id) => keyOf.get(id) ?? ""));
    const lines = sense.path.slice(1).map((to, i) => `${keyOf.get(sense.path[i] ?? -1)} ${keyOf.get(to)}`);
    return { counted: keys(sense.counted), passed: keys(sense.path), edges: new Set(lines) };
  };

  const toggle = (path: string, shown: boolean) => {
    if (shown) open.add(path);
    else for (const own of [...open]) if (own === path || own.startsWith(`${path}.`)) open.delete(own);
    draw(false);
  };

  const frameOf = (path: string, { x, y, width, height }: Placed): SVGElement => {
    const group = element("g", { class: "frame", tabindex: 0, role: "button", "aria-label": `close ${path}` });
    group.append(
      element("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 6 }),
      element("text", { x: x - width / 2 + 8, y: y - height / 2 + 14 }, `▾ ${path}`),
    );
    onPress(group, () => toggle(path, false));
    return group;
  };

  const drawnBox = ({ lines, kind, block }: Box, { x, y, width, height }: Placed): SVGElement => {
    const group = element("g", { class: `box ${kind}`, transform: `translate(${x - width / 2},${y - height / 2})` });
    group.append(
      element("rect", { width, height, rx: kind === "join" || kind === "input" || kind === "output" ? 14 : 4 }),
    );
    for (const [i, line] of lines.entries())
      group.append(
        element(
          "text",
          { x: width / 2, y: 18 + i * lineHeight, "text-anchor": "middle", ...(i === 0 && { class: "name" }) },
          line,
        ),
      );
    if (block !== undefined) {
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", `open ${block}`);
      onPress(group, () => toggle(block, true));
    }
    return group;
  };

  // A press that moves the plane opens nothing.
  let dragged = false;
  const onPress = (target: SVGElement, act: () => void) => {
    target.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!dragged) act();
    });
    target.addEventListener("keydown", (event) => {
      if ((event as KeyboardEvent).key === "Enter") act();
    });
  };
  let from: { readonly x: number; readonly y: number } | undefined;
  svg.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX - view.x, y: event.clientY - view.y };
    dragged = false;
  });
  window.addEventListener("pointermove", (event) => {
    if (!from) return;
    const next = { x: event.clientX - from.x, y: event.clientY - from.y };
    dragged ||= Math.hypot(next.x - view.x, next.y - view.y) > 3;
    view = { ...view, ...next };
    place();
  });
  window.addEventListener("pointerup", () => {
    from = undefined;
  });
  svg.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const factor = Math.exp(-event.deltaY / 500);
      const scale = Math.min(4, Math.max(0.05, view.scale * factor));
      const { left, top } = host.getBoundingClientRect();
      const [x, y] = [event.clientX - left, event.clientY - top];
      view = { x: x - ((x - view.x) * scale) / view.scale, y: y - ((y - view.y) * scale) / view.scale, scale };
      place();
    },
    { passive: false },
  );
  const definitions = element("defs", {});
  for (const id of ["arrow", "arrow-lit"]) {
    const size = { markerUnits: "userSpaceOnUse", markerWidth: 10, markerHeight: 10 };
    const arrow = element("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, ...size, orient: "auto" });
    arrow.append(element("path", { d: "M0,0L8,4L0,8z", class: id }));
    definitions.append(arrow);
  }
  svg.prepend(definitions);

  const all = (shown: boolean) => {
    open.clear();
    if (shown) for (const path of blocks) open.add(path);
    draw(true);
  };
  // At first, the outermost blocks that leave the graph readable.
  const boxCount = () => new Set(vertices.map(({ id }) => boxOf(id).key)).size;
  for (const path of [...blocks].sort((a, b) => a.split(".").length - b.split(".").length)) {
    open.add(path);
    if (boxCount() > boxesAtFirst) {
      open.delete(path);
      break;
    }
  }
  document.getElementById("open-all")?.addEventListener("click", () => all(true));
  document.getElementById("close-all")?.addEventListener("click", () => all(false));
  document.getElementById("fit")?.addEventListener("click", () => draw(true));
  const [select, said] = [document.getElementById("sense"), document.getElementById("lit")];
  select?.addEventListener("change", () => {
    const { value } = select as HTMLSelectElement;
    chosen = value === "" ? -1 : Number(value);
    const sense = senses[chosen];
    if (said)
      said.textContent = !sense
        ? ""
        : `${grouped(sense.counted.length)} of ${grouped(vertices.length)} boxes count${sense.path.length > 0 ? `, on a path of ${grouped(new Set(sense.path).size)}` : ""}`;
    draw(false);
  });
  draw(true);
}

const host = document.getElementById("explorer");
const data = document.getElementById("structure")?.textContent;
if (host && data)
  explore(host, JSON.parse(data) as ExplorerData, (globalThis as typeof globalThis & { readonly dagre: Dagre }).dagre);
