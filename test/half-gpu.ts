/** Whether the graphics card of software has float16: Mesa's from 25 on has, SwiftShader has not. */
import { OptionError } from "../src/core/errors.ts";
import { input } from "../src/graph/ir.ts";
import { compile } from "../src/jit/compile.ts";
import { matmul } from "../src/ops/index.ts";
import { hasSoftwareGpu } from "./software-gpu.ts";

async function hasFloat16(): Promise<boolean> {
  const x = input("float32", [1, 1]);
  try {
    const { session } = await compile([x], [matmul(x, x)], { device: "webgpu", precision: "float16" });
    await session.release();
    return true;
  } catch (error) {
    if (error instanceof OptionError) return false;
    throw error;
  }
}

export const hasHalfGpu: boolean = hasSoftwareGpu && (await hasFloat16());
