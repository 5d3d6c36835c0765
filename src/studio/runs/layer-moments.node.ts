/** What a run's log says of its layers, read on as it grows, and thinned so that it takes a bounded part of the memory. */
import { parseJson } from "../../core/json.ts";
import { type LayerMoment, layerMomentSchema } from "../../explain/learning/layer-history.ts";
import { AppendedLines } from "./appended-file.node.ts";
import { layersLine } from "./log-records.ts";

/** Moments that are kept, and layers of all of them together. */
const [mostMoments, mostLayers] = [400, 200_000];

/** A line as a measurement; nothing for what is none, or is of another version. */
function momentOf(line: string): LayerMoment | undefined {
  try {
    const { type: _, ...moment } = parseJson(line) as Readonly<Record<string, unknown>>;
    return layerMomentSchema.parse(moment);
  } catch {
    return undefined;
  }
}

/** Follows the measurements of a log. */
export class LayerMoments {
  readonly #log: AppendedLines;
  /** Each `#every`-th. */
  #kept: LayerMoment[] = [];
  #every = 1;
  #seen = 0;
  #last: LayerMoment | undefined;

  constructor(path: string) {
    this.#log = new AppendedLines(path);
  }

  /** The measurements up to now: all of them, or evenly spaced ones, and the last. */
  read(): readonly LayerMoment[] {
    const { lines, isAnew } = this.#log.read();
    if (isAnew) {
      this.#kept = [];
      [this.#every, this.#seen, this.#last] = [1, 0, undefined];
    }
    for (const line of lines) {
      const moment = line.startsWith(layersLine) ? momentOf(line) : undefined;
      if (moment) this.#add(moment);
    }
    return this.#last && this.#last !== this.#kept.at(-1) ? [...this.#kept, this.#last] : this.#kept;
  }

  #add(moment: LayerMoment): void {
    this.#last = moment;
    if (this.#seen++ % this.#every !== 0) return;
    this.#kept.push(moment);
    const isTooMany = () => this.#kept.length > mostMoments || this.#kept.length * moment.layers.length > mostLayers;
    while (this.#kept.length > 2 && isTooMany()) {
      this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
    }
  }
}
