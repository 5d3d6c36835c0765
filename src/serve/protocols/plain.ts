/** The plain protocol: rows, files or texts to POST /predict, what the server has at GET /. */
import { type Answer, type Exchange, json, type Route } from "../exchange.ts";
import { HttpError } from "../http-error.ts";
import type { ModelStates } from "../models/model-store.ts";

/** The type of a body, as its sender says it, without parameters. JSON where nothing is said, and where curl says what no form is. */
export function bodyType(header: string | undefined): string {
  const type = header?.split(";")[0]?.trim().toLowerCase() ?? "";
  return type === "" || type === "application/x-www-form-urlencoded" ? "application/json" : type;
}

async function predict(exchange: Exchange, name: string | undefined): Promise<Answer> {
  const leased = await exchange.model(name ?? exchange.query.get("model") ?? undefined);
  const { predict: service } = leased.model;
  if (!service)
    throw new HttpError(
      400,
      `the model "${leased.name}" is not predicted so; ask it by ${leased.model.write ? "POST /v1/completions" : `POST /v2/models/${leased.name}/infer`}`,
    );
  const type = bodyType(exchange.header("content-type"));
  const predictions = await service({ bytes: await exchange.body(), type }, exchange.signal);
  exchange.notes.rows = predictions.length;
  return json({ model: leased.name, version: leased.version, predictions });
}

/** Its routes. */
export function plainRoutes(states: ModelStates, version: string): readonly Route[] {
  const route = (method: Route["method"], path: string, handle: Route["handle"]): Route => ({
    ...{ method, path, handle },
    refusal: ({ message }) => JSON.stringify({ error: message }),
  });
  return [
    route("GET", "/", async () =>
      json({
        server: "sardonyx",
        version,
        models: states.list().map(({ name, version: own, state }) => ({ name, version: own, state })),
        endpoints: ["POST /predict", "/v2 (Open Inference Protocol)", "/v1 (OpenAI)", "/metrics", "/v2/health/ready"],
      }),
    ),
    route("POST", "/predict", (exchange) => predict(exchange, undefined)),
    route("POST", "/predict/:model", (exchange, { model }) => predict(exchange, model)),
  ];
}
