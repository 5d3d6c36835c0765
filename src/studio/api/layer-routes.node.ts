/** What the page asks of a run's layers over time. */
import {
  type LayerQuantity,
  type LayersOverTime,
  layerQuantities,
  layersOverTime,
  quantityOf,
} from "../../explain/learning/drawings.ts";
import { queryOf, type Route } from "../http/routes.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";

/** Numbers as JSON has them: what is none is null. */
type Numbers = readonly (number | null)[];

/** The layers of a run, one quantity of them over time. */
export interface LayerAnswer {
  /** The quantities of which some layer has a number other than 0; none where no layers were measured. */
  readonly quantities: readonly LayerQuantity[];
  /** The one that was asked for, or the first. */
  readonly quantity: LayerQuantity;
  readonly over: Omit<LayersOverTime, "rows"> & { readonly rows: readonly Numbers[] };
  /** The last measurement: of each layer a number for each of `quantities`. */
  readonly last: readonly { readonly path: string; readonly type: string; readonly values: Numbers }[];
}

const asJson = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** The routes. */
export function layerRoutes(library: RunLibrary): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/layers",
      answer({ query }) {
        const history = library.layers(queryOf(query, "run"));
        const quantities = layerQuantities.filter((name) =>
          history.some(({ layers }) => layers.some((layer) => (quantityOf(layer, name) ?? 0) !== 0)),
        );
        const quantity = quantities.find((name) => name === query.get("quantity")) ?? quantities[0] ?? "gradients";
        const { rows, ...over } = layersOverTime(history, quantity);
        const last = (history.at(-1)?.layers ?? []).map((layer) => ({
          ...{ path: layer.path, type: layer.type },
          values: quantities.map((name) => asJson(quantityOf(layer, name))),
        }));
        const answer: LayerAnswer = {
          quantities,
          quantity,
          over: { ...over, rows: rows.map((row) => row.map(asJson)) },
          last,
        };
        return { json: answer };
      },
    },
  ];
}
