import * as s from "./src/index.ts";
const { explain } = s;
// resnet-like, vit
// batchless file
const m = s.sequential([s.lambda((x: s.Value)=>s.ops.sub(x, s.ops.reduceMean(x,[0],{keepDims:true}))), s.dense(2)]);
m.initialize(s.keyOf(1),{dtype:"float32",shape:[1,3]});
const enc = s.encodeOnnx(m,{inputs:{dtype:"float32",shape:[1,3]}}); console.log(enc.obstacle);
const f = s.modelFromOnnx(enc.bytes);
for (const chunk of [16,1]) console.log(await explain.integratedGradients(f, s.tensor([[1,2,3]]), {chunk}).then(r=>r.completeness, e=>e.message));
console.log(await explain.saliency(s.sequential([s.dense(2),s.lambda((x: s.Value)=>s.ops.round(x))]) , s.tensor([[1,2]])).catch(e=>e.message));
const q = s.sequential([s.dense(2),s.lambda((x: s.Value)=>s.ops.round(x))]); q.initialize(s.keyOf(1),{dtype:"float32",shape:[1,2]});
console.log(await explain.saliency(q , s.tensor([[1,2]])).catch(e=>e.message));
const d = s.sequential([s.lambda((x: s.Value)=>s.ops.determinant(s.ops.reshape(x,[x.shape[0]!,2,2]))), s.lambda((x: s.Value)=>s.ops.reshape(x,[x.shape[0]!,1]))]);
console.log(await explain.saliency(d , s.tensor([[1,2,3,4]])).catch(e=>e.message));
import { samplesApart } from "./src/explain/samples-apart.ts";
for (const [name, type] of [["resnet18",[7,3,64,64]],["mobilenet_v2",[7,3,64,64]],["vit_b_16",[7,3,224,224]],["inception_v3",[7,3,299,299]],["densenet121",[7,3,64,64]],["efficientnet_b0",[7,3,64,64]],["squeezenet1_0",[7,3,64,64]]] as const) { const m = s.models.presetOf(name).build({} as never) as any; const t = m.trace({dtype:"float32",shape:type}); console.log(name, samplesApart(t.inputs[0], t.output)); }
