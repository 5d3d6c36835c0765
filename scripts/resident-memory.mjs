/** Resident memory of this process, as Linux counts it. */
import { readFileSync } from "node:fs";

const field = (name) => 1024 * Number(/\d+/.exec(readFileSync("/proc/self/status", "utf8").split(`${name}:`)[1])[0]);

/** Bytes now. */
export const residentBytes = () => field("VmRSS");

/** The most bytes so far. `process.resourceUsage().maxRSS` begins at what the process that started this one held. */
export const peakBytes = () => field("VmHWM");
