/** Paths in messages. */
import { relative } from "node:path";

/** A path as a person types it: relative where it lies within the working folder. */
export const shownPath = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short === "" ? "." : short.startsWith("..") ? path : short;
};
