/** `sardonyx estimate`: how long training would take, and in which memory. */
import { totalmem } from "node:os";
import { type Link, linkOf, stepOfProcesses } from "../../analyze/cost/exchange.ts";
import { type Hardware, hardwareNames, hardwareOf, peakOf, usualUtilization } from "../../analyze/cost/hardware.ts";
import { measureProduct, measureStep } from "../../analyze/cost/measure.ts";
import type { TrainingOptions } from "../../analyze/cost/training.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { costOfWay, type Way, type WayCost, waysToTrain } from "../../analyze/what-if/estimate.ts";
import { OptionError } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import { bytesOfExchange, type Exchange, exchanges } from "../../distributed/sums.ts";
import { defaultThreads } from "../../runtime/threads.node.ts";
import { choice, defineCommand, number, oneOf, text, wholeNumber } from "../command.ts";
import { targetDescription } from "../inspect/target.ts";
import { amount, bytes, extents } from "../inspect/units.ts";
import { openChanged, trainingOptionsOf, whatIfOptions } from "../inspect/what-if.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";

/** A step is measured when it takes at most this much of the machine's memory, and this long by the rate of products. */
const memoryToMeasure = 0.4;
const secondsToMeasure = 20;

/** FLOPs a second, and how they are known. */
interface Rate {
  readonly flopsPerSecond: number;
  readonly origin: string;
  readonly memory: number;
  readonly where: string;
}

interface Work {
  readonly steps: number;
  /** Samples of a step. */
  readonly batch: number;
  readonly described: string;
}

/** `3.2 s`, `5 h 10 min`, `12 days`, `3.4 years`. */
function longDuration(seconds: number): string {
  const units = [
    ["year", 31_557_600],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ] as const;
  const [name, size] = units.find(([, own]) => seconds >= own) ?? (["second", 1] as const);
  const value = seconds / size;
  const text = value >= 100 ? count(value) : value.toPrecision(value >= 10 ? 3 : 2);
  return `${text} ${name}${text === "1.0" ? "" : "s"}`;
}

async function measuredRate(network: Network, { bytes: needed, stepFlops }: WayCost, output: Output): Promise<Rate> {
  const threads = defaultThreads();
  const where = `here, ${plural(threads, "thread")}`;
  const memory = totalmem();
  const product = await measureProduct({ threads });
  const peak = product.flops / product.seconds;
  output.record("measured", { what: "product", flopsPerSecond: peak });
  const expected = (3 * stepFlops) / (usualUtilization * peak);
  if (needed > memoryToMeasure * memory || expected > secondsToMeasure)
    return {
      flopsPerSecond: usualUtilization * peak,
      origin: `${amount(usualUtilization * peak)}FLOP/s: ${usualUtilization * 100} % of a 1024×1024 product measured here (${amount(peak)}FLOP/s); a step is too large to be measured`,
      memory,
      where,
    };
  const step = await measureStep(network, { threads });
  const rate = step ? step.flops / step.seconds : usualUtilization * peak;
  output.record("measured", { what: "step", flopsPerSecond: rate, seconds: step?.seconds });
  return {
    flopsPerSecond: rate,
    origin: `${amount(rate)}FLOP/s measured in a training step of this network (a 1024×1024 product reaches ${amount(peak)}FLOP/s)`,
    memory,
    where,
  };
}

function givenRate(
  hardware: Hardware | undefined,
  flopsPerSecond: number | undefined,
  {
    utilization,
    devices,
    precision,
  }: { utilization: number; devices: number; precision: Parameters<typeof peakOf>[1] },
): Rate {
  const peak = flopsPerSecond ?? (hardware ? peakOf(hardware, precision) : 0);
  const machines = devices > 1 ? `${devices} × ` : "";
  const name = hardware ? hardware.name : "the given rate";
  return {
    flopsPerSecond: peak * utilization * devices,
    origin: `${machines}${amount(peak)}FLOP/s (${name}, ${precision}) at ${Math.round(100 * utilization)} % of it`,
    memory: hardware?.memory ?? Number.POSITIVE_INFINITY,
    where: hardware ? `${machines}${hardware.name}` : "there",
  };
}

export const command = defineCommand({
  arguments: [{ name: "TARGET", description: targetDescription }],
  options: {
    ...whatIfOptions,
    samples: wholeNumber("samples in the training data; default 60,000", 1),
    tokens: wholeNumber("tokens in the training data, in place of samples", 1),
    epochs: wholeNumber("passes over the data; default 1", 1),
    hardware: choice(`${hardwareNames.join(", ")}; default this machine, measured`, hardwareOf),
    devices: wholeNumber("how many of them; default 1", 1),
    flopsPerSecond: number("your own rate in place of --hardware", { low: 0, above: true, example: 1e14 }),
    processes: wholeNumber(
      "train on so many machines like this, or like --hardware, each of which has a part of the batch",
      2,
    ),
    network: text("RATE", "what joins them, bits a second and the latency: 1Gb,200us; default 10Gb,50us"),
    exchange: oneOf("in what numbers they exchange gradients; default float32", exchanges),
    buckets: wholeNumber("they exchange gradients in so many buckets, each while others are computed; default 1", 1),
    utilization: number("share of the peak that training reaches; default 0.4", { low: 0, above: true, example: 0.4 }),
  },
  examples: [
    ["sardonyx estimate lenet-mnist --batch 64 --epochs 3", "on this machine, measured"],
    [
      "sardonyx estimate llama2_7b --tokens 1000000000 --hardware a100 --devices 8 --precision bfloat16",
      "a billion tokens",
    ],
    ["sardonyx estimate resnet50 --samples 1281167 --epochs 90 --batch 32", "ImageNet, as it was published"],
    ["sardonyx estimate resnet50 --batch 1024 --processes 64 --network 10Gb", "on 64 machines"],
  ],
  async run({ arguments: [target = ""], options, output }) {
    const {
      samples,
      tokens,
      epochs = 1,
      hardware,
      devices = 1,
      flopsPerSecond,
      utilization,
      processes,
      network: joined,
      exchange,
      buckets,
      ...whatIfs
    } = options;
    if (samples !== undefined && tokens !== undefined)
      throw new OptionError("--samples and --tokens both say how much data there is; pass one of them");
    if (utilization !== undefined && utilization > 1)
      throw new OptionError(`--utilization is ${utilization}; pass a share of 1, such as --utilization 0.4`);
    if (joined !== undefined && processes === undefined)
      throw new OptionError("--network says what joins machines, and there is one; pass --processes too");
    for (const [name, given] of Object.entries({ exchange, buckets }))
      if (given !== undefined && processes === undefined)
        throw new OptionError(
          `--${name} says how processes exchange gradients, and there is one; pass --processes too`,
        );
    const link = linkOf(joined ?? "10Gb", "--network");
    const training = trainingOptionsOf(whatIfs);
    const network = await openChanged(target, whatIfs, output);
    const isChanged = [whatIfs.freeze, whatIfs.lora, whatIfs.quantize].some((option) => option !== undefined);
    const ways = isChanged ? [{ name: "as given", network }] : waysToTrain(network);
    const costs = ways.map((way) => costWithin(way, training));
    const work = workOf(network, { samples, tokens, epochs });
    const given = { utilization: utilization ?? usualUtilization, devices, precision: training.precision };
    const rate =
      hardware || flopsPerSecond !== undefined
        ? givenRate(hardware, flopsPerSecond, given)
        : await measuredRate(network, costs[0] as WayCost, output);
    const memory = Math.min(rate.memory, training.memory ?? Number.POSITIVE_INFINITY);
    show(network, costs, work, { ...rate, memory }, output);
    if (processes !== undefined)
      showProcesses(network, costs[0] as WayCost, work, { rate, processes, link, exchange, buckets }, output);
  },
});

/** What a way costs in the memory that there is to be, or as it is where it does not fit. */
function costWithin(way: Way, training: TrainingOptions): WayCost {
  try {
    return costOfWay(way, training);
  } catch (error) {
    if (training.memory === undefined || !(error instanceof OptionError)) throw error;
    return costOfWay(way, { ...training, memory: undefined });
  }
}

/** How many steps the data makes. Throws OptionError for tokens of a network that takes none. */
function workOf(
  network: Network,
  { samples, tokens, epochs }: { samples: number | undefined; tokens: number | undefined; epochs: number },
): Work {
  const own = new Set(network.parameters.map(({ value }) => value));
  const shape = network.graphs?.forward.inputs.find((value) => !own.has(value))?.shape ?? [1];
  const [batch = 1, sequence = 1] = shape;
  if (tokens !== undefined && shape.length !== 2)
    throw new OptionError(
      `--tokens needs an input of sequences [batch, time], this one is ${extents(shape)}; pass --samples`,
    );
  const number = tokens === undefined ? (samples ?? 60_000) : Math.ceil(tokens / sequence);
  const what =
    tokens === undefined ? plural(number, "sample") : `${plural(tokens, "token")} in sequences of ${sequence}`;
  const passes = epochs === 1 ? "once" : `${epochs} times`;
  return { steps: Math.ceil(number / batch) * epochs, batch, described: `${what}, ${passes}, ${batch} at a time` };
}

function show(
  network: Network,
  costs: readonly WayCost[],
  { steps, described }: Work,
  rate: Rate,
  output: Output,
): void {
  const estimates = costs.map(({ name, trainable, stepFlops, bytes: needed }) => ({
    name,
    trainable,
    flops: stepFlops * steps,
    seconds: (stepFlops * steps) / rate.flopsPerSecond,
    bytes: needed,
    fits: needed <= rate.memory,
  }));
  output.record("estimate", { model: network.name, steps, flopsPerSecond: rate.flopsPerSecond, ways: estimates });
  output.prose(`${network.name}: ${described}: ${plural(steps, "step")}`);
  output.prose(`Rate: ${rate.origin}`, 6);
  if (Number.isFinite(rate.memory)) output.line(`Memory ${rate.where}: ${bytes(rate.memory)}`);
  output.line();
  const columns = [
    { head: "Trained" },
    ...["Parameters", "FLOPs", "Time", "Memory"].map((head) => ({ head, align: "right" as const })),
    { head: "" },
  ];
  const rows = estimates.map(({ name, trainable, flops, seconds, bytes: needed, fits }) => [
    name,
    count(trainable),
    amount(flops),
    longDuration(seconds),
    bytes(needed),
    Number.isFinite(rate.memory) ? (fits ? "fits" : "too large") : "",
  ]);
  showTable(columns, rows, output);
  output.line();
  output.prose(
    "Time is work by rate, without loading data and without exchange between devices. Memory is that of one device that holds everything.",
  );
}

/** How many small sums processes make in a step: for its figures, and whether one stops, in three places. */
const meetingsOfStep = 3;

/** How processes train together. */
interface Together {
  readonly rate: Rate;
  readonly processes: number;
  readonly link: Link;
  readonly exchange?: Exchange | undefined;
  readonly buckets?: number | undefined;
}

/** How training goes with more and more processes. Throws OptionError where a batch has too few samples. */
function showProcesses(
  network: Network,
  { name, trainable, stepFlops }: WayCost,
  { steps, batch }: Work,
  { rate, processes, link, exchange: numbers = "float32", buckets }: Together,
  output: Output,
): void {
  if (processes > batch)
    throw new OptionError(
      `--processes ${processes} share ${plural(batch, "sample")} of a batch; pass --batch ${processes} or more, or fewer processes`,
    );
  const normalizations = network.parameters.filter((own) => own.isBuffer && own.name.endsWith("running_mean")).length;
  const exchange = {
    gradients: bytesOfExchange[numbers] * trainable,
    meetings: meetingsOfStep + 2 * normalizations,
    buckets,
  };
  const counts = Array.from({ length: Math.ceil(Math.log2(processes)) }, (_, i) => 2 ** i);
  const alone = stepFlops / rate.flopsPerSecond;
  const estimates = [...counts, processes].map((ranks) => {
    const step = stepOfProcesses(alone, exchange, ranks, link);
    return { processes: ranks, seconds: steps * step.seconds, exchange: step.exchange / step.seconds };
  });
  output.record("processes", { way: name, ...link, estimates });
  output.line();
  const right = (head: string) => ({ head, align: "right" as const });
  const rows = estimates.map(({ processes: ranks, seconds, exchange: share }) => [
    count(ranks),
    longDuration(seconds),
    `${((100 * steps * alone) / ranks / seconds).toFixed(0)} %`,
    `${(100 * share).toFixed(0)} %`,
  ]);
  showTable([right("Processes"), right("Time"), right("Efficiency"), right("Exchange")], rows, output);
  output.line();
  output.prose(
    `Of ${name}, with batches of ${plural(batch, "sample")} shared out equally, and gradients summed over ${amount(8 * link.bandwidth)}bit/s with ${prefixedSeconds(link.latency)} for a message, on links that nothing else uses. The update, which each makes whole, and machines that wait for the slowest are not counted.`,
  );
}

const prefixedSeconds = (seconds: number): string => `${Number((1e6 * seconds).toPrecision(3))} µs`;
