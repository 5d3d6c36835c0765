/** Resident memory of this process. */
import { existsSync, readFileSync } from "node:fs";

const status = "/proc/self/status";

/** Bytes now. */
export const residentBytes = () => process.memoryUsage.rss();

/** The most bytes so far. On Linux `maxRSS` begins at what the process that started this one held; VmHWM does not. */
export const peakBytes = () =>
  1024 *
  (existsSync(status)
    ? Number(/VmHWM:\s*(\d+)/.exec(readFileSync(status, "utf8"))[1])
    : process.resourceUsage().maxRSS);
