/** ONNX's own models of operators (Debian's package libonnx-testdata): each is loaded, run, and compared with its recorded outputs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type ByteSource, memorySource } from "../../core/byte-source.ts";
import { SardonyxError } from "../../core/errors.ts";
import { bfloat16ToFloat32 } from "../../core/half.ts";
import { type Shape, sameShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { leavesOf } from "../../core/tree.ts";
import { nodesOf } from "../../graph/ir.ts";
import type { Declared } from "../../import/declared.ts";
import { type Decoded, decodeMessage } from "../../onnx/decode.ts";
import { record, records } from "../../onnx/fields.ts";
import { importFile, refuseExternal } from "../../onnx/import.ts";
import { type ModelFile, readModelFile } from "../../onnx/model-file.ts";
import { type MessageSchema, TensorProto } from "../../onnx/schema.ts";
import { storedTensor } from "../../onnx/tensor.ts";
import { loadModel } from "../files/load-model.node.ts";
import { run } from "./run.ts";

const folder = "/usr/share/libonnx-testdata/data";
const sets = ["node", "simple", "pytorch-operator", "pytorch-converted"];

export interface Outcome {
  readonly name: string;
  /** The operator that it is of, or the set. */
  readonly operator: string;
  /** Inputs that were given as constants, since shapes depend on them. */
  readonly constants: readonly string[];
  /** Why it does not run or does not agree; `undefined` where it agrees. */
  readonly problem: string | undefined;
}

/** Tolerances of ONNX's own backend test (onnx/backend/test/runner): |got - wanted| ≤ 1e-7 + 1e-3 |wanted|. */
const tolerances = { relative: 1e-3, absolute: 1e-7 };

export const isInstalled = existsSync(folder);

/** The outcomes of all models, in the order of their names. */
export async function runOperatorModels(): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const set of sets)
    for (const name of readdirSync(join(folder, set))) {
      const path = join(folder, set, name);
      if (existsSync(join(path, "model.onnx"))) outcomes.push(await outcomeOf(path, set));
    }
  return outcomes;
}

async function outcomeOf(path: string, set: string): Promise<Outcome> {
  const found = { name: basename(path).replace(/^test_/, ""), operator: set, constants: [] as readonly string[] };
  try {
    const file = readModelFile(memorySource(readFileSync(join(path, "model.onnx"))), refuseExternal);
    if (set === "node") found.operator = operatorOf(path, file);
    let problem: string | undefined;
    for (const data of readdirSync(path).filter((own) => own.startsWith("test_data_set"))) {
      const recorded = readRecorded(join(path, data), file);
      const read = readWithConstants(file, recorded.inputs);
      found.constants = read.constants;
      problem ??= read.problem ?? (await compared(join(path, "model.onnx"), recorded, read.constants));
    }
    return { ...found, problem };
  } catch (error) {
    if (error instanceof SardonyxError) return { ...found, problem: error.message.replace(`${path}/`, "") };
    throw error;
  }
}

/** The operator of a model of one; a model of its definition as a function is named beside it. */
function operatorOf(path: string, { graph }: ModelFile): string {
  const plain = path.replace(/_expanded$/, "");
  if (plain !== path && existsSync(join(plain, "model.onnx")))
    return operatorOf(plain, readModelFile(memorySource(readFileSync(join(plain, "model.onnx"))), refuseExternal));
  const types = graph.nodes.map(({ type }) => type).filter((type) => type !== "Constant");
  return types[0] ?? "Constant";
}

/** A recorded tensor, a list of them, or nothing. */
type Item = Tensor | readonly Tensor[] | undefined;

interface Recorded {
  readonly inputs: ReadonlyMap<string, Item>;
  readonly outputs: readonly Item[];
}

function readRecorded(path: string, { graph }: ModelFile): Recorded {
  const read = (kind: string, i: number, declared: Declared) =>
    readItem(memorySource(readFileSync(join(path, `${kind}_${i}.pb`))), declared);
  return {
    inputs: new Map(graph.inputs.map((declared, i) => [declared.name, read("input", i, declared)])),
    outputs: graph.outputs.map((declared, i) => read("output", i, declared)),
  };
}

/** Messages of onnx.proto that hold recorded lists, and what is optional. */
const SequenceProto: MessageSchema = {
  tensor_values: { number: 3, kind: "message", repeated: true, message: () => TensorProto },
};
const OptionalProto: MessageSchema = {
  tensor_value: { number: 3, kind: "message", message: () => TensorProto },
  sequence_value: { number: 5, kind: "message", message: () => SequenceProto },
};

function readItem(source: ByteSource, declared: Declared): Item {
  const { isSequence, isOptional } = declared;
  if (!isSequence && !isOptional) return readTensor(decodeMessage(TensorProto, source), declared);
  const optional = isOptional ? decodeMessage(OptionalProto, source) : undefined;
  const tensor = record(optional, "tensor_value");
  if (tensor) return readTensor(tensor, declared);
  const sequence = optional ? record(optional, "sequence_value") : decodeMessage(SequenceProto, source);
  return sequence && records(sequence, "tensor_values").map((item) => readTensor(item, declared));
}

/** A recorded tensor; those of bfloat16 are recorded as their bits. */
function readTensor(proto: Decoded, { type }: Declared): Tensor {
  const tensor = storedTensor(proto, refuseExternal).read();
  if (type?.name !== "bfloat16" || tensor.dtype !== "uint16") return tensor;
  return new Tensor("float32", tensor.shape, bfloat16ToFloat32(tensor.data as Uint16Array));
}

/** Names of the inputs whose elements must be known while the graph is built, and what cannot be read even so. */
function readWithConstants(file: ModelFile, inputs: Recorded["inputs"]) {
  const constants = new Map<string, Tensor>();
  for (;;) {
    const { graph, unknown } = importFile(file, {
      constants,
      shapeOf: ({ name }) => shapesOf(inputs.get(name))?.[0] ?? [],
      itemsOf: ({ name }) => shapesOf(inputs.get(name)),
    });
    const reasons = nodesOf(graph.outputs).flatMap((node) => unknown.get(node) ?? []);
    const fresh = reasons.flatMap(({ computedFrom = [] }) => computedFrom).filter((name) => !constants.has(name));
    const [problem] = reasons.filter(({ kind }) => kind === "operator").map(({ why }) => why);
    if (fresh.length === 0) return { constants: [...constants.keys()], problem };
    for (const name of fresh) constants.set(name, inputs.get(name) as Tensor);
  }
}

const shapesOf = (item: Item): readonly Shape[] | undefined =>
  item && (item instanceof Tensor ? [item.shape] : item.map(({ shape }) => shape));

/** `undefined` where the model's outputs agree with the recorded ones, else how they differ. */
async function compared(path: string, { inputs, outputs }: Recorded, names: readonly string[]) {
  const given = [...inputs].flatMap(([name, item]) =>
    item === undefined || names.includes(name) ? [] : [[name, item] as const],
  );
  const constants = Object.fromEntries(names.map((name) => [name, inputs.get(name) as Tensor]));
  const model = await loadModel(path, { constants });
  const results = await run(model, Object.fromEntries(given));
  const wanted = leavesOf(outputs).flatMap(({ leaf }) => (leaf instanceof Tensor ? [leaf] : []));
  if (results.length !== wanted.length) return `gives ${results.length} outputs, ${wanted.length} are recorded`;
  return results.map((result, i) => difference(result, wanted[i] as Tensor)).find((problem) => problem !== undefined);
}

function difference(got: Tensor, wanted: Tensor): string | undefined {
  if (got.dtype !== wanted.dtype || !sameShape(got.shape, wanted.shape))
    return `gives ${got.dtype} [${got.shape}], recorded is ${wanted.dtype} [${wanted.shape}]`;
  const [numbers, expected] = [got.toNumbers(), wanted.toNumbers()];
  const agrees = expected.every((element, i) => {
    const own = numbers[i] ?? Number.NaN;
    if (Object.is(own, element) || own === element) return true;
    return Math.abs(own - element) <= tolerances.absolute + tolerances.relative * Math.abs(element);
  });
  return agrees ? undefined : "gives other elements than those recorded";
}
