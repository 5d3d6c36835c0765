/** Preferences: the loss by hand, and a model that learns which answer is better. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import { characterTokenizer, chatTemplate, fromTensors, ignoredLabel } from "../data/index.ts";
import { adam, evaluate, fit, predict } from "../train/index.ts";
import { preferenceObjective, preferenceRows } from "./preferences.ts";
import { smallLlama } from "./testing/models.ts";

const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });
const rows = {
  chosen: ids([1, 2, 3, 4], [5, 6, 7, 0]),
  chosenLabels: ids([ignoredLabel, 3, 4, ignoredLabel], [6, 7, ignoredLabel, ignoredLabel]),
  rejected: ids([1, 2, 9, 8], [5, 6, 11, 0]),
  rejectedLabels: ids([ignoredLabel, 9, 8, ignoredLabel], [6, 11, ignoredLabel, ignoredLabel]),
};

test("the loss is that of the paper, eq. 7", async () => {
  const [model, reference] = [smallLlama(), smallLlama()];
  for (const parameter of model.parameters().values())
    if (parameter.value)
      parameter.value = tensor(
        parameter.value.toNumbers().map((own) => own * 1.3),
        { shape: parameter.shape },
      );
  const score = async (own: typeof model, x: typeof rows.chosen, labels: typeof rows.chosen) => {
    const logits = await predict(own, x);
    const numbers = logits.toNumbers();
    return [0, 1].map((row) =>
      [0, 1, 2, 3].reduce((sum, t) => {
        const label = Number(labels.data[row * 4 + t]);
        const scores = numbers.slice((row * 4 + t) * 20, (row * 4 + t + 1) * 20);
        const total = Math.log(scores.reduce((all, value) => all + Math.exp(value), 0));
        return label === ignoredLabel ? sum : sum + (scores[label] ?? 0) - total;
      }, 0),
    );
  };
  const [pc, rc] = [
    await score(model, rows.chosen, rows.chosenLabels),
    await score(reference, rows.chosen, rows.chosenLabels),
  ];
  const [pr, rr] = [
    await score(model, rows.rejected, rows.rejectedLabels),
    await score(reference, rows.rejected, rows.rejectedLabels),
  ];
  const losses = [0, 1].map((i) => {
    const margin = 0.5 * ((pc[i] ?? 0) - (rc[i] ?? 0) - (pr[i] ?? 0) + (rr[i] ?? 0));
    return Math.log(1 + Math.exp(-margin));
  });
  const objective = preferenceObjective(model, reference, { beta: 0.5 });
  const { results } = await evaluate(model, fromTensors(rows).batch(2), { objective });
  expect(results["loss"]).toBeCloseTo(((losses[0] ?? 0) + (losses[1] ?? 0)) / 2, 4);
});

test("training makes the better answers likelier, and leaves the reference alone", async () => {
  const [model, reference] = [smallLlama(), smallLlama()];
  const before = [...reference.parameters().values()].map(({ value }) => value?.toNumbers());
  const { history } = await fit(model, fromTensors(rows).batch(2), {
    objective: preferenceObjective(model, reference),
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 20,
  });
  expect(history[0]?.["loss"]).toBeCloseTo(Math.log(2), 3);
  expect(history.at(-1)?.["preferred"]).toBe(1);
  expect(history.at(-1)?.["loss"]).toBeLessThan(0.5);
  expect([...reference.parameters().values()].map(({ value }) => value?.toNumbers())).toEqual(before);
  expect(() => preferenceObjective(model, model)).toThrow("load a second copy");
});

test("rows count the answers alone", () => {
  const prompt = [{ role: "user", content: "a" }];
  const answer = (content: string) => [{ role: "assistant", content }];
  const template = chatTemplate("plain", { eos: "." });
  const tokenizer = characterTokenizer("abc.\n ");
  const { chosen, chosenLabels, rejectedLabels } = preferenceRows(
    [{ prompt, chosen: answer("bb"), rejected: answer("c") }],
    { tokenizer, template },
  );
  const counted = (labels: typeof chosen) => Array.from(labels.data).filter((label) => label !== ignoredLabel);
  expect(tokenizer.decode(counted(chosenLabels))).toBe("bb.");
  expect(tokenizer.decode(counted(rejectedLabels))).toBe("c.");
});
