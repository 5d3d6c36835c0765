import * as ort from "onnxruntime-node";
import { readFileSync, existsSync } from "node:fs";
import { basename } from "node:path";
import { memorySource } from "./src/core/byte-source.ts";
import { readModelFile } from "./src/onnx/model-file.ts";
const levels = ["basic", "extended", "all"] as const;
for (const path of process.argv.slice(2)) for (const level of levels) {
  const out = `/tmp/models/opt/${basename(path, ".onnx")}-${level}.onnx`;
  try {
    if (!existsSync(out)) { const s = await ort.InferenceSession.create(path, { graphOptimizationLevel: level, optimizedModelFilePath: out, logSeverityLevel: 4, intraOpNumThreads: 1 } as any); await s.release(); }
    const f = readModelFile(memorySource(readFileSync(out)), () => { throw new Error("ext"); });
    const ops = new Map<string, number>();
    const walk = (nodes: any) => { for (const n of nodes) { if (n.domain) { const k = `${n.domain}.${n.type}`; ops.set(k, (ops.get(k) ?? 0) + 1); } for (const a of n.attributes.values()) if (a?.nodes) walk(a.nodes); } };
    walk(f.graph.nodes);
    console.log(basename(out), [...ops].map(([k, v]) => `${k}:${v}`).join(" "));
  } catch (e) { console.log(basename(out), "FAILED", String(e).slice(0, 200)); }
}
