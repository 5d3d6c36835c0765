/** The Open Inference Protocol, version 2, over HTTP: health, metadata, inference (https://github.com/kserve/open-inference-protocol). */
import { type Exchange, json, type LeasedModel, type Route } from "../../exchange.ts";
import { HttpError } from "../../http-error.ts";
import type { ModelStates } from "../../models/model-store.ts";
import type { TensorService, TensorSpec } from "../../served-model.ts";
import { dataTypes } from "./data-types.ts";
import { readInferRequest, writeInferAnswer } from "./messages.ts";

const metadataOf = ({ name, dtype, shape }: TensorSpec) => ({ name, datatype: dataTypes[dtype], shape });

function tensorsOf({ name, model: { tensors } }: LeasedModel): TensorService {
  if (!tensors) throw new HttpError(400, `the model "${name}" takes no tensors; ask it as GET / says`);
  return tensors;
}

async function infer(exchange: Exchange, name: string, version: string | undefined) {
  const leased = await exchange.model(name, version);
  const tensors = tensorsOf(leased);
  const request = readInferRequest(await exchange.body(), exchange.header("inference-header-content-length"));
  const [first] = request.inputs.values();
  exchange.notes.rows = first?.shape[0] ?? 1;
  const known = tensors.outputs.map((own) => own.name);
  const stray = request.outputs?.find((own) => !known.includes(own.name));
  if (stray)
    throw new HttpError(
      400,
      `the model has no output "${stray.name}"; it has ${known.map((own) => `"${own}"`).join(", ")}`,
    );
  const results = await tensors.infer(request.inputs, exchange.signal);
  return { status: 200, ...writeInferAnswer(request, leased, results) };
}

/** Its routes. Whether models are there is asked of `states`; to ask for one loads it. */
export function openInferenceRoutes(states: ModelStates, version: string): readonly Route[] {
  const route = (method: Route["method"], path: string, handle: Route["handle"], open = false): Route => ({
    ...{ method, path, handle, open },
    refusal: ({ message }) => JSON.stringify({ error: message }),
  });
  const both = (method: Route["method"], path: string, handle: Route["handle"]): Route[] => [
    route(method, `/v2/models/:model${path}`, handle),
    route(method, `/v2/models/:model/versions/:version${path}`, handle),
  ];
  return [
    route("GET", "/v2", async () =>
      json({ name: "sardonyx", version, extensions: ["binary_tensor_data", "model_repository(index)"] }),
    ),
    route("GET", "/v2/health/live", async () => json({ live: true }), true),
    route("GET", "/v2/health/ready", async () => json({ ready: states.isReady }, states.isReady ? 200 : 503), true),
    route("POST", "/v2/repository/index", async () =>
      json(states.list().map(({ name, version: own, state, reason }) => ({ name, version: own, state, reason }))),
    ),
    ...both("GET", "", async (exchange, { model, version: own }) => {
      const leased = await exchange.model(model, own);
      const { inputs, outputs } = leased.model.tensors ?? { inputs: [], outputs: [] };
      return json({
        name: leased.name,
        versions: [leased.version],
        platform: leased.model.platform,
        inputs: inputs.map(metadataOf),
        outputs: outputs.map(metadataOf),
      });
    }),
    ...both("GET", "/ready", async (_, { model = "", version: own }) => {
      const ready = states.isModelReady(model, own);
      return json({ name: model, ready }, ready ? 200 : 503);
    }),
    ...both("POST", "/infer", (exchange, { model = "", version: own }) => infer(exchange, model, own)),
  ];
}
