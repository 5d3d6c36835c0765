/** Runs programs one after the other in this process, so that the library is loaded once; prints a line of JSON for each. */
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const { log } = console;
for (const path of process.argv.slice(2)) {
  const lines = [];
  console.log = (...values) => lines.push(format(...values));
  let error;
  try {
    await import(pathToFileURL(path).href);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  log(JSON.stringify({ path, printed: lines.join("\n"), error }));
}
