/** OpenAI's API over the models that write or make vectors. */
import { type Answer, type Exchange, json, type Route } from "../../exchange.ts";
import { HttpError } from "../../http-error.ts";
import type { ModelStates } from "../../models/model-store.ts";
import { errorBody } from "./errors.ts";
import { embeddingSchema, readFields } from "./fields.ts";
import { chatCompletions, completions, type OpenAiContext } from "./writing.ts";

/** POST /v1/embeddings. */
async function embeddings(exchange: Exchange): Promise<Answer> {
  const fields = readFields(embeddingSchema, await exchange.body());
  const leased = await exchange.model(fields.model);
  const { embed } = leased.model;
  if (!embed)
    throw new HttpError(
      400,
      `the model "${leased.name}" makes no vectors of texts; ask one that does: GET / lists them`,
    );
  const texts = typeof fields.input === "string" ? [fields.input] : fields.input;
  const read = texts.reduce((sum, text) => sum + embed.count(text), 0);
  exchange.notes.rows = texts.length;
  exchange.notes.tokensRead = read;
  const vectors = await embed.embed(texts, exchange.signal);
  const [, width = 0] = vectors.shape;
  if (fields.dimensions !== undefined && fields.dimensions !== width)
    throw new HttpError(400, `dimensions is ${fields.dimensions}, and the model's vectors have ${width}; leave it out`);
  const encoded = (i: number) => {
    const own = vectors.data.subarray(i * width, (i + 1) * width);
    return fields.encoding_format === "base64" ? base64Of(own) : Array.from(own);
  };
  return json({
    object: "list",
    data: texts.map((_, index) => ({ object: "embedding", index, embedding: encoded(index) })),
    model: leased.name,
    usage: { prompt_tokens: read, total_tokens: read },
  });
}

/** The bytes of numbers, least significant first, in base64. */
function base64Of(numbers: Float32Array): string {
  let text = "";
  for (const byte of new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    text += String.fromCharCode(byte);
  return btoa(text);
}

/** Its routes. */
export function openAiRoutes(
  states: ModelStates,
  context: OpenAiContext & { readonly created: number },
): readonly Route[] {
  const names = () => states.list().flatMap(({ name, adapters }) => [name, ...adapters.map((own) => `${name}:${own}`)]);
  const described = (id: string) => ({ id, object: "model", created: context.created, owned_by: "sardonyx" });
  const route = (method: Route["method"], path: string, handle: Route["handle"]): Route => ({
    ...{ method, path, handle },
    refusal: errorBody,
  });
  return [
    route("GET", "/v1/models", async () => json({ object: "list", data: names().map(described) })),
    route("GET", "/v1/models/:model", async (_, { model = "" }) => {
      if (!names().includes(model))
        throw new HttpError(404, `there is no model ${JSON.stringify(model.slice(0, 100))}; GET /v1/models lists them`);
      return json(described(model));
    }),
    route("POST", "/v1/chat/completions", (exchange) => chatCompletions(exchange, context)),
    route("POST", "/v1/completions", (exchange) => completions(exchange, context)),
    route("POST", "/v1/embeddings", embeddings),
  ];
}
