/** The JSON of an inspection: what every field means, as a schema that programs may check against. */
import * as z from "zod";

/** A number that only a graph gives; null for a file of weights, which has none. */
const fromGraph = z.number().nullable();
const bytes = z.number();

const parameters = z.object({
  total: z.number().describe("Elements of all parameters, a shared one counted once; buffers are not among them."),
  trainable: z.number(),
  frozen: z.number(),
  buffers: z
    .number()
    .describe(
      "Elements that no optimizer moves: running statistics, and constants that a file stores beside its weights.",
    ),
  effective: z
    .number()
    .nullable()
    .describe(
      "Parameters that are not 0: fewer in a pruned model. null where the elements are not at hand, or lie in blocks.",
    ),
  bytes: bytes.describe("Bytes of the parameters as they are stored, or as --precision and --quantize want them."),
  bytesByPrecision: z
    .object({ float32: bytes, float16: bytes, int8: bytes, int4: bytes })
    .describe("Bytes of the parameters at one precision throughout, without scales."),
  shared: z
    .array(z.object({ name: z.string(), layers: z.array(z.string()) }))
    .describe("Parameters that several layers read, with those layers, the owner first."),
});

const depth = z.object({
  weighted: fromGraph.describe("Weighted layers on the longest path: the number in VGG-16 and ResNet-50."),
  parameterLayers: z.number().describe("Layers that own parameters."),
  creditAssignmentPath: fromGraph.describe("Depth of the longest credit-assignment path (Schmidhuber 2015)."),
  blocks: fromGraph.describe("Units of several weighted layers that the architecture repeats."),
  paths: z
    .object({
      count: z.union([z.number(), z.string()]).describe("A decimal string beyond 2^53."),
      min: z.number(),
      max: z.number(),
      mean: z.number(),
    })
    .nullable()
    .describe("The unravelled view (Veit et al. 2016): how many paths there are, and their weighted layers."),
  recurrent: z
    .object({ perStep: z.number(), feedforward: z.number(), steps: z.number(), unrolled: z.number() })
    .nullable()
    .describe("Recurrent depth (Zhang et al. 2016); null without recurrent layers."),
});

const memory = z
  .object({ weights: bytes, gradients: bytes, optimizer: bytes, activations: bytes })
  .describe("The parts of trainingBytes.");

const cost = z.object({
  macs: fromGraph.describe("Multiply-adds of sums of products, one prediction of the whole batch."),
  forwardFlops: fromGraph.describe("Floating-point operations of a prediction, a multiply-add counted as two."),
  backwardFlops: fromGraph.describe("Floating-point operations of the backward pass alone."),
  activationBytes: fromGraph.describe("Bytes of forward values that the backward pass reads."),
  trainingBytes: fromGraph.describe("Peak memory of a training step, without the process's own."),
  predictionBytes: fromGraph.describe("Peak memory of a prediction, without the process's own."),
  memory: memory.nullable(),
  stepSeconds: z
    .number()
    .nullable()
    .describe("Predicted seconds of a training step on settings.hardware, at 40 % of its peak; null without one."),
});

const layer = z.object({
  name: z.string(),
  type: z.string().describe("What the layer is called where the model comes from."),
  kind: z.string(),
  role: z.enum(["input", "hidden", "output"]),
  outputShape: z.array(z.number()).nullable().describe("null where it is not known."),
  parameters: z.number(),
  trainable: z.number(),
  formula: z.string().describe("How the number of parameters comes about: 3·3·32·64 + 64 = 18,496; empty without any."),
  macs: fromGraph,
  runs: z.number().describe("How often the layer runs in one prediction."),
});

const share = { parameters: z.number(), trainable: z.number(), macs: fromGraph };

/**
 * The document that `sardonyx inspect --format json` prints, as a schema of zod; docs/inspection.schema.json is the
 * same as JSON Schema.
 */
export const inspectionSchema = z.object({
  model: z.string(),
  source: z.string(),
  scale: z.string().describe("Class of scale by the number of parameters, see docs/inspect.md."),
  inputs: z.array(z.object({ name: z.string(), dtype: z.string(), shape: z.array(z.number()) })),
  settings: z.object({ optimizer: z.string(), precision: z.string(), hardware: z.string().nullable() }),
  parameters,
  depth,
  cost,
  layers: z.array(layer),
  blocks: z
    .array(z.string())
    .describe(
      "Paths of the blocks, or of the layers where names show none, that --freeze-blocks counts from the input.",
    ),
  byKind: z.array(z.object({ kind: z.string(), ...share })),
  byRole: z.array(z.object({ role: z.enum(["input", "hidden", "output"]), ...share })),
  notes: z.array(z.string()).describe("What a reader must know: operators that are not understood, unknown shapes."),
});

/** Everything that is reported of one network, as JSON: `inspectionSchema` describes and checks it. */
export type Inspection = z.infer<typeof inspectionSchema>;
/** One layer in an inspection. */
export type InspectedLayer = Inspection["layers"][number];
