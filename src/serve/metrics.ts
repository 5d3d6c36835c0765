/** Counts and durations, in the text format of Prometheus (exposition format 0.0.4), and those of several processes as one. */

type Labels = Readonly<Record<string, string>>;

/** How the numbers of several processes become one. */
const joins = {
  sum: (a: number, b: number): number => a + b,
  least: (a: number, b: number): number => Math.min(a, b),
} as const;

/** What a process has counted: for each family the numbers of each set of labels, which is JSON. */
export type Counts = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

const labelText = (labels: Labels): string => {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
};

/** Numbers under one name, for each set of labels. */
abstract class Family {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly join: keyof typeof joins;
  /** By the labels as JSON. */
  protected readonly values = new Map<string, number[]>();

  constructor(kind: Family["kind"], name: string, help: string, join: keyof typeof joins = "sum") {
    this.kind = kind;
    this.name = name;
    this.help = help;
    this.join = join;
  }

  /** What there is, to be sent to another process. */
  get counts(): Counts[string] {
    return Object.fromEntries(this.values);
  }

  /** Takes in what another process has. */
  include(counts: Counts[string]): void {
    for (const [key, numbers] of Object.entries(counts)) {
      const own = this.values.get(key);
      this.values.set(key, own ? own.map((number, i) => joins[this.join](number, numbers[i] ?? 0)) : [...numbers]);
    }
  }

  lines(): string[] {
    return Array.from(this.values, ([key, numbers]) => this.linesOf(JSON.parse(key) as Labels, numbers)).flat();
  }

  protected abstract linesOf(labels: Labels, numbers: readonly number[]): string[];
}

/** A number for each set of labels: one that only grows, or one that stands for a state. */
class Numbers extends Family {
  add(labels: Labels, amount = 1): void {
    this.set(labels, this.get(labels) + amount);
  }
  set(labels: Labels, value: number): void {
    this.values.set(JSON.stringify(labels), [value]);
  }
  /** What there is for some labels; 0 where there is none. */
  get(labels: Labels): number {
    return this.values.get(JSON.stringify(labels))?.[0] ?? 0;
  }
  protected override linesOf(labels: Labels, [value = 0]: readonly number[]): string[] {
    return [`${this.name}${labelText(labels)} ${value}`];
  }
}

/** How many observations are at most each bound; behind them their sum and how many there are. */
class Histogram extends Family {
  readonly #bounds: readonly number[];
  constructor(name: string, help: string, bounds: readonly number[]) {
    super("histogram", name, help);
    this.#bounds = bounds;
  }
  observe(labels: Labels, value: number): void {
    const key = JSON.stringify(labels);
    const size = this.#bounds.length;
    const own = this.values.get(key) ?? Array<number>(size + 2).fill(0);
    this.values.set(key, own);
    for (const [i, bound] of this.#bounds.entries()) if (value <= bound) own[i] = (own[i] ?? 0) + 1;
    own[size] = (own[size] ?? 0) + value;
    own[size + 1] = (own[size + 1] ?? 0) + 1;
  }
  protected override linesOf(labels: Labels, numbers: readonly number[]): string[] {
    const [sum = 0, count = 0] = numbers.slice(this.#bounds.length);
    return [
      ...this.#bounds.map(
        (bound, i) => `${this.name}_bucket${labelText({ ...labels, le: String(bound) })} ${numbers[i]}`,
      ),
      `${this.name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`,
      `${this.name}_sum${labelText(labels)} ${sum}`,
      `${this.name}_count${labelText(labels)} ${count}`,
    ];
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
  readonly loaded = new Numbers("gauge", "sardonyx_model_loaded", "Processes in which a model is loaded.");
  readonly workers = new Numbers("gauge", "sardonyx_workers", "Worker processes that answer.");
  readonly restarts = new Numbers(
    "counter",
    "sardonyx_worker_restarts_total",
    "Times that a worker process was started in place of one that had ended.",
  );
  readonly memory = new Numbers("gauge", "process_resident_memory_bytes", "Resident memory of all processes.");
  readonly processor = new Numbers("counter", "process_cpu_seconds_total", "Processor time of all processes.");
  readonly started = new Numbers(
    "gauge",
    "process_start_time_seconds",
    "When the first process began, in Unix time.",
    "least",
  );

  /** All that is counted, to be sent to another process; `growing` leaves states out, which end with their process. */
  counts({ growing = false }: { readonly growing?: boolean } = {}): Counts {
    const chosen = this.#families.filter(({ kind }) => !growing || kind !== "gauge");
    return Object.fromEntries(chosen.map((own) => [own.name, own.counts]));
  }

  /** Takes in what another process counts. */
  include(counts: Counts): void {
    for (const own of this.#families) own.include(counts[own.name] ?? {});
  }

  /** All of it as text. */
  text(): string {
    const lines = this.#families.flatMap((own) => [
      `# HELP ${own.name} ${own.help}`,
      `# TYPE ${own.name} ${own.kind}`,
      ...own.lines(),
    ]);
    return `${lines.join("\n")}\n`;
  }

  get #families(): readonly Family[] {
    return Object.values(this).filter((own): own is Family => own instanceof Family);
  }
}
