/** How busy the process is: its share of the processor since the last look, and the memory that it holds. */

/** What is measured of the process. */
export interface ProcessLoad {
  /** Processor time since the last look over the time that passed, of all threads, in percent: 100 is one core. */
  readonly cpuPercent: number;
  /** Resident memory, in MiB. */
  readonly memoryMiB: number;
}

/** Where the numbers come from; default the process. */
export interface LoadSource {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Microseconds of processor time so far. */
  readonly processor: () => number;
  /** Resident memory in bytes. */
  readonly memory: () => number;
}

const ofProcess: LoadSource = {
  now: () => performance.now(),
  processor: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  memory: () => process.memoryUsage.rss(),
};

const oneDecimal = (value: number): number => Math.round(10 * value) / 10;

/** Looks at the process now and then. */
export class LoadMeter {
  readonly #source: LoadSource;
  #time: number;
  #processor: number;

  constructor(source: LoadSource = ofProcess) {
    this.#source = source;
    this.#time = source.now();
    this.#processor = source.processor();
  }

  /** Seconds since the last look. */
  get seconds(): number {
    return (this.#source.now() - this.#time) / 1000;
  }

  /** The load since the last look; nothing where no time has passed. */
  look(): ProcessLoad | undefined {
    const [time, processor] = [this.#source.now(), this.#source.processor()];
    const passed = 1000 * (time - this.#time);
    if (passed <= 0) return undefined;
    const cpuPercent = oneDecimal((100 * (processor - this.#processor)) / passed);
    [this.#time, this.#processor] = [time, processor];
    return { cpuPercent, memoryMiB: oneDecimal(this.#source.memory() / 2 ** 20) };
  }
}
