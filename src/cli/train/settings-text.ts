/** Settings of a run as a person reads them. */
import { plural } from "../../core/number-text.ts";
import { flagOf } from "../../core/printable.ts";
import type { OptionValue, RunSettings } from "../../runs/recipes/settings.ts";
import { deviceText, isCard } from "../../runtime/session.ts";

/** The settings as a command line would give them, for the heading of a run. */
export const showSettings = (settings: RunSettings) => {
  const {
    epochs,
    batchSize,
    learningRate,
    optimizer,
    seed,
    device,
    threads,
    options,
    memory,
    parts = 1,
    precision,
  } = settings;
  const own = Object.entries(options).map(
    ([name, value]) => `, ${flagOf(name).slice(2).replaceAll("-", " ")} ${showOption(value)}`,
  );
  const room = `${parts > 1 ? ` in ${parts} parts` : ""}${memory === undefined ? "" : `, memory ${memory}`}`;
  const arithmetic = precision === undefined || precision === "float32" ? "" : `, ${precision}`;
  // Of a card the threads of the processor say little.
  const place = isCard(device) ? `on the ${deviceText(device)}` : `${device} with ${plural(threads, "thread")}`;
  return `${optimizer}, learning rate ${learningRate}, batch size ${batchSize}${room}, epochs ${epochs}${own.join("")}, seed ${seed}${arithmetic}, ${place}`;
};

const showOption = (value: OptionValue): string =>
  typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
