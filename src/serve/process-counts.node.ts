/** What this process counts, with its memory and its processor time. */
import type { Counts, Metrics } from "./metrics.ts";

/** Notes what the process takes just now, and gives all that is counted. */
export function processCounts(metrics: Metrics): Counts {
  metrics.memory.set({}, process.memoryUsage.rss());
  const { user, system } = process.cpuUsage();
  metrics.processor.set({}, (user + system) / 1e6);
  metrics.started.set({}, Math.round(Date.now() / 1000 - process.uptime()));
  return metrics.counts();
}
