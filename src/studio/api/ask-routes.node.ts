/** What the page asks models: how a run is asked, its predictions of an input, what it writes, and why it says so. */
import { randomInt } from "node:crypto";
import * as z from "zod";
import { byteText } from "../../core/number-text.ts";
import { HttpError } from "../../serve/http-error.ts";
import { writeText } from "../../serve/protocols/openai/write-text.ts";
import type { WriteService } from "../../serve/served-model.ts";
import type { AskedModels } from "../asking/asked-models.node.ts";
import { explained } from "../asking/explained.node.ts";
import { howAsked } from "../asking/how-asked.node.ts";
import { type Asked, jsonOf, queryOf, type Route } from "../http/routes.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";

/** The most bytes of an input, rows of an answer, classes of a row, and alternatives of a token. */
const [mostBytes, mostRows, mostLikely, alternatives] = [32 * 1024 * 1024, 20, 20, 5];

/** What one row of an answer says. */
export interface Prediction {
  /** Classes or labels, the likeliest first; not all where there are many. */
  readonly likely?: readonly { readonly name: string; readonly probability: number }[];
  /** What else it says: `output`, `answer`, `tags`, `text`, `note`, … */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A line of a text that is written: text with its tokens, or how it ended. */
export type WrittenLine =
  | { readonly text: string; readonly tokens: readonly WrittenToken[] }
  | { readonly ending: "stop" | "length"; readonly count: number }
  | { readonly error: string };

/** A token of a text, and what could have stood in its place, by the probabilities before temperature. */
export interface WrittenToken extends LikelyToken {
  readonly alternatives: readonly LikelyToken[];
}

interface LikelyToken {
  readonly text: string;
  readonly probability: number;
}

const writeSchema = z.strictObject({
  run: z.string(),
  prompt: z.string().max(200_000),
  temperature: z.number().min(0).max(10).default(1),
  most: z.number().int().min(1).max(4096).default(100),
  seed: z.number().int().min(0).optional(),
});

/** A row as the page shows it: probabilities with the names of classes. */
function predictionOf(
  { class: _, probability, probabilities, labels: __, ...fields }: Readonly<Record<string, unknown>>,
  classes: readonly string[] = [],
): Prediction {
  if (!Array.isArray(probabilities))
    return { fields: { ...fields, ...(probability !== undefined && { probability }) } };
  const named: readonly { readonly name: string; readonly probability: number }[] = probabilities.map((own, i) =>
    typeof own === "number" ? { name: classes[i] ?? String(i), probability: own } : own,
  );
  const { output: ___, ...rest } = fields;
  const likely = [...named].sort((a, b) => b.probability - a.probability).slice(0, mostLikely);
  return { likely, fields: rest };
}

/** The prompt's tokens: as it is, or as a message of a model that chats. */
const promptOf = ({ chatPrompt, tokenizer }: WriteService, prompt: string): readonly number[] =>
  tokenizer.encode(chatPrompt ? chatPrompt({ messages: [{ role: "user", content: prompt }] }) : prompt);

/** The lines of a text, as it is written. */
async function* linesOf(
  service: WriteService,
  { prompt, temperature, most, seed = randomInt(2 ** 32) }: z.infer<typeof writeSchema>,
  signal: AbortSignal,
): AsyncGenerator<WrittenLine> {
  const settings = { temperature, topP: 1, most, stops: [], seed, top: alternatives };
  const pieces = writeText(service, promptOf(service, prompt), settings, { index: 0, signal });
  const likely = ({ token, logprob }: { readonly token: string; readonly logprob: number }): LikelyToken => ({
    text: token,
    probability: Math.exp(logprob),
  });
  try {
    for (;;) {
      const { value, done } = await pieces.next();
      if (done) {
        yield { ending: value.ending, count: value.tokens };
        return;
      }
      const tokens = value.told.map((own) => ({ ...likely(own), alternatives: own.top_logprobs.map(likely) }));
      yield { text: value.text, tokens };
    }
  } finally {
    await pieces.return({ ending: "stop", tokens: 0 });
  }
}

/** An input that was sent. Throws HttpError for one that is too large. */
function inputOf({ body, type }: Asked): { readonly bytes: Uint8Array; readonly type: string } {
  if (body.length > mostBytes)
    throw new HttpError(
      413,
      `the input has ${byteText(body.length)}, and at most ${byteText(mostBytes)} are taken; choose a smaller file`,
    );
  return { bytes: body, type };
}

/** The routes. */
export function askRoutes(library: RunLibrary, models: AskedModels, reports: ReportMaker): readonly Route[] {
  const runOf = async (run: string) => {
    const folder = library.folderOf(run);
    const how = await howAsked(folder);
    return { folder, how };
  };
  return [
    {
      method: "GET",
      path: "/api/asks",
      answer: async ({ query }) => ({ json: (await runOf(queryOf(query, "run"))).how }),
    },
    {
      method: "POST",
      path: "/api/predict",
      async answer(asked) {
        const { folder, how } = await runOf(queryOf(asked.query, "run"));
        const { input, classes } = how;
        if (input.kind === "none") throw new HttpError(400, `this run is not asked here: ${input.why}`);
        const body = inputOf(asked);
        const { model, giveBack } = await models.lease(folder, how);
        try {
          if (!model.predict) throw new HttpError(400, "this run writes text; ask it by /api/write");
          const rows = await model.predict(body, asked.signal);
          const predictions = rows.slice(0, mostRows).map((row) => predictionOf(row, classes));
          return { json: { predictions, rows: rows.length } };
        } finally {
          giveBack();
        }
      },
    },
    {
      method: "POST",
      path: "/api/explain",
      async answer(asked) {
        const { folder, how } = await runOf(queryOf(asked.query, "run"));
        if (!how.explains) throw new HttpError(400, "answers of this run have no scores that could be explained");
        return { json: await explained(reports, folder, how, inputOf(asked)) };
      },
    },
    {
      method: "POST",
      path: "/api/write",
      async answer(asked) {
        const given = jsonOf(asked, writeSchema);
        const { folder, how } = await runOf(given.run);
        const { model, giveBack } = await models.lease(folder, how);
        const { write } = model;
        if (!write) {
          giveBack();
          throw new HttpError(400, "this run writes no text; ask it by /api/predict");
        }
        const lines = async function* () {
          try {
            yield* linesOf(write, given, asked.signal);
          } finally {
            giveBack();
          }
        };
        return { lines: lines() };
      },
    },
  ];
}
