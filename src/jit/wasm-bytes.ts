/** Bytes of a WebAssembly module with one function that loops over vectors (WebAssembly Core Specification 2.0, ch. 5). */
import type { SimdInstruction } from "../graph/op.ts";

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Opcodes of the f32x4 instructions (WebAssembly Core Specification 2.0, sec. 5.4.8). */
const f32x4: Readonly<Record<SimdInstruction, number>> = {
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xe8,
  max: 0xe9,
};

/** Instructions that a vector loop is made of. */
export const code = {
  localGet: (local: number) => [0x20, ...leb(local)],
  localSet: (local: number) => [0x21, ...leb(local)],
  i32Const: (value: number) => [0x41, ...signedLeb(value)],
  i32Add: [0x6a],
  i32LessThanUnsigned: [0x49],
  f32Add: [0x92],
  end: [0x0b],
  loop: [0x03, 0x40],
  branchIf: (depth: number) => [0x0d, ...leb(depth)],
  /** Loads 16 bytes at the address on the stack. */
  vectorLoad: [0xfd, 0x00, 4, 0],
  vectorStore: [0xfd, 0x0b, 4, 0],
  /** The scalar on the stack, four times. */
  splat: [0xfd, 0x13],
  f32Const: (value: number) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  /** An f32x4 instruction. */
  simd: (instruction: SimdInstruction) => [0xfd, ...leb(f32x4[instruction])],
  lane: (index: number) => [0xfd, 0x1f, index],
} as const;

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const i32 = 0x7f;
const f32 = 0x7d;
const v128 = 0x7b;

const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, ...entries: readonly (readonly number[])[]): number[] => [
  id,
  ...sized([...leb(entries.length), ...entries.flat()]),
];
const text = (name: string): number[] => sized([...new TextEncoder().encode(name)]);

export interface KernelCode {
  /** Addresses come first among the parameters, then the byte count, then the scalars. */
  readonly addresses: number;
  readonly scalars: number;
  /** Locals after the parameters: vectors, then one i32 for the position. */
  readonly vectorLocals: number;
  readonly body: readonly number[];
}

/** A module that imports `env.memory` and exports `run`, which returns an f32. @param sharedPages pages of a memory that threads share */
export function kernelModule(
  { addresses, scalars, vectorLocals, body }: KernelCode,
  sharedPages?: number,
): Uint8Array<ArrayBuffer> {
  const parameters = [...new Array<number>(addresses + 1).fill(i32), ...new Array<number>(scalars).fill(f32)];
  const type = [0x60, ...sized(parameters), ...sized([f32])];
  // From no pages on, or, shared, from and up to as many as there are (threads proposal, "Memory Types").
  const limits = sharedPages === undefined ? [0x00, 0x00] : [0x03, ...leb(sharedPages), ...leb(sharedPages)];
  const memory = [...text("env"), ...text("memory"), 0x02, ...limits];
  const locals = [0x02, ...leb(vectorLocals), v128, 0x01, i32];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, type),
    ...section(2, memory),
    ...section(3, [0]),
    ...section(7, [...text("run"), 0x00, 0x00]),
    ...section(10, sized([...locals, ...body, ...code.end])),
  ]);
}
