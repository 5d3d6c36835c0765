/** How a config.json says that its weights are stored: `torch_dtype`, and `quantization_config`. */
import { isPlainObject } from "../core/tree.ts";
import { bitsOfType, type SafetensorsEntry } from "../storage/safetensors.ts";
import { shown } from "./config-fields.ts";

/** An element type as reports name it. */
export interface StoredType {
  readonly type: string;
  readonly bits: number;
}

/** What a config says of storage. */
export interface StoredTypes {
  /** Of whatever is not packed; `undefined` where the config does not say. */
  readonly plain: StoredType | undefined;
  /** Of the matrices of linear layers, but for those that score; `undefined` where they are not packed. */
  readonly packed: StoredType | undefined;
  /** What a reader must know. */
  readonly notes: readonly string[];
}

/** Types by PyTorch's names. */
const types: Readonly<Record<string, StoredType>> = {
  float64: { type: "float64", bits: 64 },
  float32: { type: "float32", bits: 32 },
  float16: { type: "float16", bits: 16 },
  bfloat16: { type: "bfloat16", bits: 16 },
  float8_e4m3fn: { type: "float8_e4m3", bits: 8 },
  float8_e5m2: { type: "float8_e5m2", bits: 8 },
};

/** Reads what a parsed config.json says of storage. What it says and is not known here becomes a note. */
export function storedTypesOf(config: unknown): StoredTypes {
  if (!isPlainObject(config)) return { plain: undefined, packed: undefined, notes: [] };
  const { torch_dtype, dtype, quantization_config: quantization } = config;
  const name = dtype ?? torch_dtype;
  const plain = typeof name === "string" ? types[name.replace(/^torch\./, "")] : undefined;
  const unknown =
    name == null || name === "auto" || plain
      ? []
      : [`The config's torch_dtype, ${shown(name)}, is not known: weights are counted as float32.`];
  if (!isPlainObject(quantization)) return { plain, packed: undefined, notes: unknown };
  const packed = packedType(quantization);
  const method = typeof quantization["quant_method"] === "string" ? quantization["quant_method"] : "an unnamed method";
  const note = packed
    ? `Stored as its quantization_config says: linear layers by ${method} with ${packed.bits} bits; scales and zero points are not in the config, and not counted.`
    : `The config's quantization_config, of ${method}, is not known: weights are counted as if they were not packed.`;
  return { plain, packed, notes: [...unknown, note] };
}

/** The type of packed matrices, by the libraries' own fields. */
function packedType(quantization: Readonly<Record<string, unknown>>): StoredType | undefined {
  const { quant_method: method, bits, w_bit, load_in_4bit, load_in_8bit, bnb_4bit_quant_type } = quantization;
  switch (method) {
    case "gptq":
    case "awq": {
      const width = bits ?? w_bit;
      return typeof width === "number" && [2, 3, 4, 8].includes(width)
        ? { type: `int${width}`, bits: width }
        : undefined;
    }
    case "bitsandbytes":
      if (load_in_4bit === true)
        return { type: typeof bnb_4bit_quant_type === "string" ? bnb_4bit_quant_type : "fp4", bits: 4 };
      return load_in_8bit === true ? { type: "int8", bits: 8 } : undefined;
    case "fp8":
    case "fbgemm_fp8":
      return types["float8_e4m3fn"];
    default:
      return undefined;
  }
}

/** safetensors' names of types that are not as ours but for the length of the first word. */
const typeNames: Readonly<Record<string, string>> = { BF16: "bfloat16", BOOL: "bool" };

/** How an entry of a safetensors file is stored. */
export const storedTypeOf = ({ type, shape }: Pick<SafetensorsEntry, "type" | "shape">) => ({
  shape,
  type:
    typeNames[type] ??
    type
      .toLowerCase()
      .replace(/^f(?=\d)/, "float")
      .replace(/^i(?=\d)/, "int")
      .replace(/^u(?=\d)/, "uint"),
  bits: bitsOfType(type) ?? 32,
});
