/** What the tensors of a checkpoint stand for, by their names, shapes and types alone: packed matrices, causal masks. */
import { type Shape, size } from "../core/shape.ts";

/** A tensor of a file of weights, without its elements. */
export interface StoredTensor {
  /** Its name in the file. */
  readonly name: string;
  /** Its extents in the file; of a matrix that GPTQ or AWQ packed, those of the matrix. */
  readonly shape: Shape;
  /** Element type by name, such as `float32`, `bfloat16`, `nf4`. */
  readonly type: string;
  /** Bits of an element. */
  readonly bits: number;
  /** Number of elements, where the shape is not that of the matrix; default those of the shape. */
  readonly elements?: number;
  /** How it is packed; default not at all. */
  readonly packing?: "bitsandbytes" | "GPTQ" | "AWQ" | "GGUF" | "float8";
  /** Whether it belongs to a packed tensor: scales, zero points, the order of rows. */
  readonly isScale?: boolean;
}

/** Number of elements that a tensor stands for. */
export const elementsOf = ({ shape, elements = size(shape) }: StoredTensor): number => elements;

/** Parts of a packed tensor that are no weights, after its name. */
const bitsandbytesParts = /\.(absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.bitsandbytes__(nf4|fp4))$/;
const int8Parts = /\.(SCB|weight_format)$/;

/** What a matrix of float8 is multiplied by, after the name of its layer. */
const float8Parts = /\.(weight_scale(_inv)?|input_scale|activation_scale)$/;

const isFloat8 = (tensor: StoredTensor | undefined): boolean => tensor?.type.startsWith("float8") ?? false;

/** The names that the factors of a matrix of float8 have: for blocks of 128 by 128, for rows or for all. */
export const scaleNames = (name: string): readonly [blocks: string, rows: string] => [
  `${name}_scale_inv`,
  `${name}_scale`,
];

/**
 * The tensors with packed ones as the matrices that they stand for, and what unpacks them marked as such.
 * - bitsandbytes, 4 bits (Dettmers et al. 2023): `weight` uint8 [elements / 2, 1] with `weight.absmax` and others; 8 bits: `weight` int8
 *   with `SCB`.
 * - GPTQ (Frantar et al. 2022): `qweight` int32 [in · bits / 32, out], `qzeros` [groups, out · bits / 32], `scales` [groups, out].
 * - float8 with factors (DeepSeek-AI 2024, sec. 3.3): `weight` float8, `weight_scale_inv` [out / 128, in / 128], or `weight_scale` for rows
 *   or for all.
 * - AWQ (Lin et al. 2023): `qweight` int32 [in, out · bits / 32], `qzeros` and `scales` alike.
 */
export function logicalTensors(tensors: readonly StoredTensor[]): readonly StoredTensor[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const kinds = new Map<string, string>();
  for (const { name } of tensors) {
    const [end, , kind] = bitsandbytesParts.exec(name) ?? [];
    if (end !== undefined && kind !== undefined) kinds.set(name.slice(0, -end.length), kind);
  }
  return tensors.map((tensor): StoredTensor => {
    const { name, type, shape } = tensor;
    const packed = bitsandbytesParts.exec(name) ?? int8Parts.exec(name);
    if (packed) {
      const owner = name.slice(0, -packed[0].length);
      const isOwned = byName.has(owner) || byName.has(`${owner}.weight`);
      return isOwned ? { ...tensor, isScale: true } : tensor;
    }
    if (type === "uint8" && byName.has(`${name}.absmax`))
      return {
        ...tensor,
        type: kinds.get(name) ?? "int4",
        bits: 4,
        elements: 2 * size(shape),
        packing: "bitsandbytes",
      };
    if (type === "int8" && byName.has(name.replace(/weight$/, "SCB"))) return { ...tensor, packing: "bitsandbytes" };
    const scaled = float8Parts.exec(name);
    if (scaled && isFloat8(byName.get(`${name.slice(0, -scaled[0].length)}.weight`)))
      return { ...tensor, isScale: true };
    if (isFloat8(tensor) && scaleNames(name).some((own) => byName.has(own))) return { ...tensor, packing: "float8" };
    const [, layer, part] = /^(.+)\.(qweight|qzeros|scales|g_idx)$/.exec(name) ?? [];
    const unpacked = layer === undefined ? undefined : unpackedShape(byName, layer);
    if (!unpacked) return tensor;
    if (part !== "qweight") return { ...tensor, isScale: true };
    return { ...tensor, ...unpacked, name: `${layer}.weight` };
  });
}

/** The matrix [out, in] that `qweight` of a layer stands for, if its parts fit together. */
function unpackedShape(
  byName: ReadonlyMap<string, StoredTensor>,
  layer: string,
): Pick<StoredTensor, "shape" | "type" | "bits" | "packing"> | undefined {
  const [weight, zeros, scales] = ["qweight", "qzeros", "scales"].map((part) => byName.get(`${layer}.${part}`)?.shape);
  const [rows = 0, columns = 0] = weight ?? [];
  const out = scales?.[1] ?? 0;
  const bits = (32 * (zeros?.[1] ?? 0)) / out;
  if (![2, 3, 4, 8].includes(bits)) return undefined;
  const type = `int${bits}`;
  if (columns === out) return { shape: [out, (rows * 32) / bits], type, bits, packing: "GPTQ" };
  if (columns * 32 === out * bits) return { shape: [out, rows], type, bits, packing: "AWQ" };
  return undefined;
}

/** Names of tensors that no optimizer moves. */
const bufferNames =
  /(^|\.)(running_(mean|var)|num_batches_tracked|moving_(mean|variance)|position_ids|inv_freq|masked_bias)$/;

/** Whether a tensor is a buffer: running statistics, positions, a causal mask, or what unpacks another. */
export function isBuffer({ name, shape, type, isScale = false, packing }: StoredTensor): boolean {
  if (isScale || bufferNames.test(name)) return true;
  if (packing === undefined && /^(int|uint|bool)(?!4|8)/.test(type)) return true;
  // `attn.bias` of GPT-2 and its relatives, [1, 1, n, n]: which positions see which.
  const [a, b, rows, columns] = shape;
  return (
    shape.length === 4 &&
    a === 1 &&
    b === 1 &&
    rows === columns &&
    /(^|\.)attn\.(\w+\.)?bias$|attention\.bias$/.test(name)
  );
}

/** What a reader must know of packed tensors. */
export function packingNotes(tensors: readonly StoredTensor[]): readonly string[] {
  const foreign = tensors.filter(({ name }) => name.endsWith(".qweight")).map(({ name }) => name);
  const notUnderstood =
    foreign.length === 0
      ? []
      : [
          `Not understood: how ${foreign.length} ${foreign.length === 1 ? "matrix is" : "matrices are"} packed (${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? ", …" : ""}); what they stand for is not counted.`,
        ];
  const understood = (["bitsandbytes", "GPTQ", "AWQ", "GGUF", "float8"] as const).flatMap((packing) => {
    const packed = tensors.filter((tensor) => tensor.packing === packing);
    const types = [...new Set(packed.map(({ type }) => type))].join(", ");
    if (packed.length === 0) return [];
    return [
      `Packed by ${packing}: ${packed.length} ${packed.length === 1 ? "matrix" : "matrices"} (${types}), counted with their elements before packing; ${packing === "GGUF" ? "their bytes hold the scales" : "scales and zero points are among the buffers"}.`,
    ];
  });
  return [...understood, ...notUnderstood];
}
