/** Counts and durations, in the text format of Prometheus (exposition format 0.0.4). */

type Labels = Readonly<Record<string, string>>;

const labelText = (labels: Labels): string => {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
};

/** A family of numbers under one name. */
abstract class Family {
  readonly name: string;
  readonly help: string;
  readonly kind: string;
  constructor(kind: string, name: string, help: string) {
    this.kind = kind;
    this.name = name;
    this.help = help;
  }
  abstract lines(): string[];
}

/** A number for each set of labels: one that only grows, or one that stands for a state. */
class Numbers extends Family {
  readonly #values = new Map<string, number>();
  add(labels: Labels, amount = 1): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }
  set(labels: Labels, value: number): void {
    this.#values.set(labelText(labels), value);
  }
  /** What there is for some labels; 0 where there is none. */
  get(labels: Labels): number {
    return this.#values.get(labelText(labels)) ?? 0;
  }
  lines(): string[] {
    return Array.from(this.#values, ([labels, value]) => `${this.name}${labels} ${value}`);
  }
}

interface Counts {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

/** How many observations are at most each bound. */
class Histogram extends Family {
  readonly #bounds: readonly number[];
  readonly #values = new Map<string, Counts>();
  constructor(name: string, help: string, bounds: readonly number[]) {
    super("histogram", name, help);
    this.#bounds = bounds;
  }
  observe(labels: Labels, value: number): void {
    const key = labelText(labels);
    const own = this.#values.get(key) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#values.set(key, own);
    for (const [i, bound] of this.#bounds.entries()) if (value <= bound) own.counts[i] = (own.counts[i] ?? 0) + 1;
    own.sum += value;
    own.count++;
  }
  lines(): string[] {
    return [...this.#values.values()].flatMap(({ labels, counts, sum, count }) => [
      ...this.#bounds.map(
        (bound, i) => `${this.name}_bucket${labelText({ ...labels, le: String(bound) })} ${counts[i]}`,
      ),
      `${this.name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`,
      `${this.name}_sum${labelText(labels)} ${sum}`,
      `${this.name}_count${labelText(labels)} ${count}`,
    ]);
  }
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const rows = [1, 2, 4, 8, 16, 32, 64, 128];

/** What a server counts. */
export class Metrics {
  readonly requests = new Numbers("counter", "sardonyx_requests_total", "Requests that were answered.");
  readonly duration = new Histogram(
    "sardonyx_request_duration_seconds",
    "From the first byte of a request to the last of its answer.",
    seconds,
  );
  readonly inFlight = new Numbers("gauge", "sardonyx_requests_in_flight", "Requests that are being answered.");
  readonly refused = new Numbers(
    "counter",
    "sardonyx_requests_refused_total",
    "Requests that were refused since the server was full.",
  );
  readonly batchRows = new Histogram("sardonyx_batch_rows", "Samples that were computed together.", rows);
  readonly decodedTexts = new Histogram("sardonyx_decode_texts", "Texts that a step of decoding went on with.", rows);
  readonly tokensRead = new Numbers("counter", "sardonyx_prompt_tokens_total", "Tokens of prompts.");
  readonly tokensWritten = new Numbers("counter", "sardonyx_generated_tokens_total", "Tokens that were written.");
  readonly loads = new Numbers("counter", "sardonyx_model_loads_total", "Times that a model was loaded.");
  readonly loaded = new Numbers("gauge", "sardonyx_model_loaded", "Whether a model is loaded.");
  readonly memory = new Numbers("gauge", "process_resident_memory_bytes", "Resident memory of the process.");
  readonly processor = new Numbers("counter", "process_cpu_seconds_total", "Processor time of the process.");
  readonly started = new Numbers("gauge", "process_start_time_seconds", "When the process began, in Unix time.");

  /** All of it as text. */
  text(): string {
    const families = Object.values(this).filter((own): own is Family => own instanceof Family);
    const lines = families.flatMap((own) => [
      `# HELP ${own.name} ${own.help}`,
      `# TYPE ${own.name} ${own.kind}`,
      ...own.lines(),
    ]);
    return `${lines.join("\n")}\n`;
  }
}
