/** Shows what a dropped file is: depth, parameters and cost in all, and layer by layer. */
import type { Inspection } from "../../src/analyze/report/schema.ts";
import { amount, bytes, extents, longCount, share } from "../../src/cli/inspect/units.ts";
import { count } from "../../src/core/number-text.ts";
import { trainInWorker } from "../../src/web/train-in-worker.ts";
import { speak } from "../shared/language.ts";
import { attempt, element, siteFile } from "../shared/page.ts";
import { texts } from "./texts.ts";
import type { Wanted } from "./worker.ts";

const speaker = speak(texts);
const { say, words, onChange } = speaker;
const worker = new Worker(new URL("./inspect-worker.js", import.meta.url), { type: "module" });
const [input, shape, all] = [
  element<HTMLInputElement>("#file"),
  element<HTMLInputElement>("#shape"),
  element<HTMLInputElement>("#all"),
];
const [again, drop] = [element<HTMLButtonElement>("#again"), element("#drop")];
let file: File | undefined;
let inspection: Inspection | undefined;

/** A row of cells; numbers stand on the right, the first cell is the row's heading. */
function row(cells: readonly (string | { readonly number: string })[]): HTMLTableRowElement {
  const made = document.createElement("tr");
  for (const [i, cell] of cells.entries()) {
    const own = document.createElement(i === 0 ? "th" : "td");
    if (i === 0) own.setAttribute("scope", "row");
    own.textContent = typeof cell === "string" ? cell : cell.number;
    if (typeof cell !== "string") own.className = "number";
    made.append(own);
  }
  return made;
}

type Key = keyof typeof texts;
const facts = (selector: string, rows: readonly (readonly [Key, string])[]) =>
  element(selector).replaceChildren(...rows.map(([key, value]) => row([words(key), { number: value }])));

function show(): void {
  element("#report").hidden = inspection === undefined;
  if (!inspection) return;
  const { model, source, inputs, depth, parameters, cost, byKind, layers, notes } = inspection;
  const known = (value: number | null) => (value === null ? words("none") : count(value));
  element("#name").textContent = model;
  const shapes = inputs.map((own) => `${own.name} ${own.dtype} ${extents(own.shape)}`).join(", ");
  const values = { parameters: count(parameters.total), source, inputs: shapes || words("none") };
  element("#summary").textContent = words("summary", values);
  const { paths } = depth;
  facts("#depth", [
    ["weighted", known(depth.weighted)],
    ["parameterLayers", known(depth.parameterLayers)],
    ["creditAssignmentPath", known(depth.creditAssignmentPath)],
    ["blocks", known(depth.blocks)],
    ["paths", paths ? longCount(paths.count) : words("none")],
  ]);
  facts("#parameters", [
    ["total", count(parameters.total)],
    ["trainable", count(parameters.trainable)],
    ["buffers", count(parameters.buffers)],
    ["stored", bytes(parameters.bytes)],
  ]);
  facts("#cost", [
    ["forward", amount(cost.macs)],
    ["flops", amount(cost.forwardFlops)],
    ["backward", amount(cost.backwardFlops)],
    ["predictionBytes", bytes(cost.predictionBytes)],
    ["trainingBytes", bytes(cost.trainingBytes)],
  ]);
  const kinds = byKind.filter((own) => own.parameters > 0).sort((a, b) => b.parameters - a.parameters);
  element("#kinds").replaceChildren(
    ...kinds.map((own) =>
      row([own.kind, { number: count(own.parameters) }, { number: share(own.parameters, parameters.total) }]),
    ),
  );
  const shown = layers.filter((own) => all.checked || own.parameters > 0 || (own.macs ?? 0) > 0);
  element("#layers").replaceChildren(
    ...shown.map((own) =>
      row([
        own.runs > 1 ? `${own.name} ×${own.runs}` : own.name,
        own.type,
        extents(own.outputShape),
        { number: count(own.parameters) },
        own.formula.split(" = ")[0] ?? "",
        { number: amount(own.macs) },
        { number: share(own.macs ?? 0, cost.macs ?? 0) },
      ]),
    ),
  );
  element("#notes").replaceChildren(
    ...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })),
  );
}

async function inspectFile(chosen: File): Promise<void> {
  file = chosen;
  again.disabled = false;
  inspection = undefined;
  show();
  await attempt(speaker, async () => {
    say(element("#state"), "reading", { name: chosen.name });
    try {
      const wanted: Wanted = { file: chosen, inputShape: shape.value.trim() || undefined };
      inspection = await trainInWorker<Inspection>(worker, wanted).result;
      say(element("#state"), "read", { name: chosen.name });
      show();
    } catch (error) {
      say(element("#state"), "unread", { name: chosen.name });
      throw error;
    }
  });
}

input.addEventListener("change", () => {
  const [chosen] = input.files ?? [];
  if (chosen) void inspectFile(chosen);
  // The same file may be chosen again.
  input.value = "";
});
again.addEventListener("click", () => file && inspectFile(file));
shape.addEventListener("keydown", ({ key }) => key === "Enter" && file && inspectFile(file));
element("#example").addEventListener("click", () =>
  attempt(speaker, async () => {
    const name = "lenet5.onnx";
    shape.value = "";
    await inspectFile(new File([new Uint8Array(await siteFile(name))], name));
  }),
);
all.addEventListener("change", show);
for (const type of ["dragover", "drop"] as const)
  document.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", type === "dragover");
    const [dropped] = type === "drop" ? (event.dataTransfer?.files ?? []) : [];
    if (dropped) void inspectFile(dropped);
  });
document.addEventListener("dragleave", () => drop.classList.remove("over"));
onChange(show);
