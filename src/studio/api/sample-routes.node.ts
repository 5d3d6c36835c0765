/** What the page asks of the fixed samples of a run. */
import type { WatchedInputs, WatchedMoment } from "../../runs/samples/sample-records.ts";
import { queryOf, type Route } from "../http/routes.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";

/** The samples of a run and one moment of them. */
export interface SampleAnswer {
  /** Nothing where no samples were watched. */
  readonly inputs?: WatchedInputs;
  /** After how many epochs each moment is. */
  readonly epochs: readonly number[];
  /** The place of the moment among them, and the moment; the last where none was asked for. */
  readonly at: number;
  readonly moment?: WatchedMoment;
}

/** The routes. */
export function sampleRoutes(library: RunLibrary): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/samples",
      answer({ query }) {
        const samples = library.samples(queryOf(query, "run"));
        const { inputs, epochs } = samples.read();
        const asked = Number(query.get("at") ?? Number.NaN);
        const last = Math.max(0, epochs.length - 1);
        const at = Number.isInteger(asked) && asked >= 0 && asked <= last ? asked : last;
        const moment = samples.moment(at);
        const answer: SampleAnswer = { ...(inputs && { inputs }), epochs, at, ...(moment && { moment }) };
        return { json: answer };
      },
    },
  ];
}
