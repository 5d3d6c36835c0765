/** The page docs/onnx-operators.md: which of ONNX's own models run here, operator by operator, and why the others do not. */
import { groupBy } from "../../core/group-by.ts";
import type { Outcome } from "./operator-models.node.ts";

const introduction = `# ONNX's operators

ONNX comes with small models of its operators and the outputs that they should give. Sardonyx loads each with \`loadModel\`, builds its own
graph, has ONNX Runtime run that, and compares: |got - recorded| ≤ 1e-7 + 1e-3 |recorded| for each element, which are the tolerances of
ONNX's own test. A model that is named \`…_expanded\` has the definition of its operator as nodes of other operators.

\`node scripts/measure-onnx-operators.mjs\` writes this page, and a test holds it. The models are those of ONNX 1.12, Debian's package
\`libonnx-testdata\`.

Shapes are static here: an input on which a shape depends is given as the model is loaded, \`loadModel(path, { constants: { shape } })\`. The
table says where the models need that.
`;

/** Why models do not agree, where what is thrown, or that they differ, says too little. */
const notes: readonly (readonly [RegExp, string])[] = [
  [/^(bernoulli|training_dropout)/, "random: what NumPy drew once is recorded, and no other generator draws it again"],
  [/^(strnorm|cast_(FLOAT_to_)?STRING|castlike_(FLOAT_to_)?STRING)/, "text: tensors here hold numbers"],
  [/^cast_FLOAT_to_BFLOAT16$/, "bfloat16 is computed in float32 here; recorded are its upper 16 bits, cut off"],
  [/^castlike_.*BFLOAT16/, "the recorded input does not have the shape that the model declares"],
  [/^adam_multiple/, "recorded with an epsilon of 1e-2, which the model does not have"],
  [
    /^resize_downsample_scales_.*_align_corners/,
    "recorded for a length of 2.4; here, as in ONNX Runtime, it is the whole one of the output (onnx issue 2462)",
  ],
  [
    /^maxunpool_export_with_output_shape/,
    "recorded for positions in a smaller shape than the output's; here, as in ONNX Runtime, they are the output's (onnx issue 2398)",
  ],
];

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The page for the outcomes of all models. */
export function operatorPage(outcomes: readonly Outcome[]): string {
  const agreeing = outcomes.filter(({ problem }) => problem === undefined);
  const rows = [...groupBy(outcomes, ({ operator }) => operator)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([operator, models]) => {
      const agree = models.filter(({ problem }) => problem === undefined).length;
      const constants = [...new Set(models.flatMap((model) => model.constants))].sort();
      return `| ${operator} | ${models.length} | ${agree} | ${constants.map((name) => `\`${name}\``).join(", ")} | ${failures(models)} |`;
    });
  const withConstants = agreeing.filter(({ constants }) => constants.length > 0).length;
  return `${introduction}
**${agreeing.length} of ${outcomes.length} models agree**, ${withConstants} of them with inputs that are given as constants.

| Operator, or set | Models | Agree | Constants | What does not run |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function failures(models: readonly Outcome[]): string {
  const failed = models.filter(({ problem }) => problem !== undefined);
  const whyOf = ({ name, problem = "" }: Outcome) => notes.find(([pattern]) => pattern.test(name))?.[1] ?? problem;
  return [...groupBy(failed, whyOf)]
    .map(([problem, own]) => {
      const names =
        own.length === models.length && own.length > 1 ? "" : `${own.map(({ name }) => `\`${name}\``).join(", ")}: `;
      return `${names}${cell(problem)}`;
    })
    .join("; ");
}
