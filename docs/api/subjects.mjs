/** A TypeDoc plugin: the category of a name is the folder of `src/` that declares it, so that the reference is grouped by subject. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Comment, CommentTag, Converter, ReflectionKind } from "typedoc";

/** Subjects in the order in which the reference has them, each with the folders and files of `src/` that it is made of. */
export const subjects = {
  Training: ["train/"],
  Modules: ["nn/"],
  Layers: ["nn/layers/"],
  Losses: ["nn/losses/"],
  "Initializers and regularizers": ["nn/initializers.ts", "nn/regularizers.ts"],
  Optimizers: ["train/optimizers/"],
  "Learning-rate schedules": ["train/schedules.ts"],
  "Gradient transforms": ["train/transforms/"],
  Metrics: ["train/metrics/"],
  Callbacks: ["train/callbacks/"],
  "Few samples": ["train/few-shot/"],
  Baselines: ["train/baselines/"],
  Datasets: ["data/pipeline/", "data/records/"],
  "Profiles of data": ["data/profile/"],
  Images: ["data/images/"],
  Tables: ["data/tables/", "tasks/tables/"],
  Text: ["data/text/"],
  "Instructions and chats": ["data/chat/"],
  Sound: ["data/sound/"],
  "Data sets by name": ["data/sets/"],
  "Generating text": ["decode/"],
  "Fine-tuning": ["finetune/"],
  "Your own data": ["tasks/"],
  "Differential privacy": ["privacy/"],
  "Merging models": ["compress/merge/"],
  "Smaller models": [
    "compress/distill/",
    "compress/fuse/",
    "compress/graph/",
    "compress/measure/",
    "compress/quantize/",
  ],
  Pruning: ["compress/prune/"],
  "Models in files": ["formats/", "onnx/", "storage/"],
  "Runs and recipes": ["runs/"],
  "Several processes": ["distributed/"],
  "In the browser": ["web/"],
  Analysis: ["analyze/"],
  "Graphs and gradients": ["autodiff/", "graph/", "jit/", "runtime/"],
  "Tensors and keys": ["core/"],
  Errors: ["core/errors.ts"],
  Drawing: ["draw/"],
  Namespaces: [],
  "Reinforcement learning": ["rl/"],
  Explanations: ["explain/"],
  "Federated learning": ["federated/"],
  // Of the namespace `models`.
  Presets: ["models/index.ts", "models/shared/"],
  "Vision models": ["models/vision/"],
  "Text models": ["models/text/"],
  "Sequence models": ["models/sequence/"],
  "Generative models": ["models/generative/"],
  "Models of tables": ["models/tables/"],
  // Of the namespace `ops`.
  Operators: ["ops/"],
  Elementwise: ["ops/elementwise.ts", "ops/functions.ts", "ops/logic.ts", "ops/cast.ts"],
  Activations: ["ops/activations.ts"],
  "Matrix products and convolutions": ["ops/matmul.ts", "ops/einsum.ts", "ops/windows/convolution.ts", "ops/algebra/"],
  "Reductions and pooling": [
    "ops/reduce.ts",
    "ops/windows/pooling.ts",
    "ops/vision/lp-pool.ts",
    "ops/vision/roi-align.ts",
  ],
  Normalizations: ["ops/normalization/"],
  "Shapes and indices": [
    "ops/movement.ts",
    "ops/slicing.ts",
    "ops/rearrange.ts",
    "ops/indexing.ts",
    "ops/vision/grid-sample.ts",
  ],
  "Control flow": ["ops/control/", "ops/recurrent/scan.ts"],
  "Signal processing": ["ops/signal/"],
  Constants: ["ops/constant.ts"],
  Randomness: ["ops/random.ts"],
};

const prefixes = Object.entries(subjects).flatMap(([subject, paths]) => paths.map((path) => [path, subject]));

/** The subject of a path below `src/`: that of its longest prefix. Throws for a path without one: a new folder wants a row above. */
function subjectOf(path) {
  const [longest] = prefixes.filter(([prefix]) => path.startsWith(prefix)).sort(([a], [b]) => b.length - a.length);
  if (!longest) throw new Error(`docs/api/subjects.mjs has no subject for src/${path}; add a row`);
  return longest[1];
}

const sources = fileURLToPath(new URL("../../src", import.meta.url));
/** What an entry point exports; the entry points themselves have no subject. */
const exported = ReflectionKind.SomeExport & ~ReflectionKind.Module;

/** Operators are called by their functions; the definitions behind those, such as `ops.MatMul`, are no subject of a reader. */
const isDefinition = ({ type }) => type?.type === "reference" && type.name === "OpDef";

/** What to call a parameter that a function takes apart where it is declared: by its type, `maze` of a Maze, else `options`. */
function nameOf({ type }) {
  const name = type?.type === "reference" && !/(Options|Settings)$/.test(type.name) ? type.name : "Options";
  return name.charAt(0).toLowerCase() + name.slice(1);
}

export function load({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
      if (parameter.name.startsWith("__namedParameters")) parameter.name = nameOf(parameter);
    for (const reflection of project.getReflectionsByKind(exported)) {
      if (isDefinition(reflection)) {
        project.removeReflection(reflection);
        continue;
      }
      const declared = reflection.isReference() ? reflection.getTargetReflection() : reflection;
      const [source] = declared.sources ?? [];
      if (!source) continue;
      const path = relative(sources, source.fullFileName).replaceAll("\\", "/");
      const text = reflection.kindOf(ReflectionKind.Namespace) ? "Namespaces" : subjectOf(path);
      const tag = new CommentTag("@category", [{ kind: "text", text }]);
      for (const documented of reflection.signatures ?? [reflection]) {
        documented.comment ??= new Comment();
        documented.comment.blockTags.push(tag);
      }
    }
  });
}
