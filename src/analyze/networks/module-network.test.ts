/** Networks of modules: what a note says that figures do not. */
import { expect, test } from "vitest";
import { modelFromConfig } from "../../formats/huggingface.ts";
import { moduleNetwork } from "./module-network.ts";

test("a model of experts says how many parameters a token meets", () => {
  const { build, inputs, name } = modelFromConfig({
    ...{ model_type: "mixtral", architectures: ["MixtralForCausalLM"], max_position_embeddings: 32 },
  });
  const { notes } = moduleNetwork({ name, source: "", model: build(), inputs });
  // Jiang et al. 2024, sec. 2: 47 billion parameters, of which 13 billion are active.
  expect(notes).toEqual([
    "Of 8 experts a token is given to 2: it meets 12,879,925,248 of 46,702,792,704 parameters. All experts are computed here for every token, and the cost is that of all.",
  ]);
});
