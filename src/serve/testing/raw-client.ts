/** What no client would send: bytes on a socket as they are. */
import { connect } from "node:net";

/** Sends bytes, and gives what comes back until the server closes or `seconds` have passed. */
export function sendRaw(
  port: number,
  parts: readonly (string | Uint8Array)[],
  { seconds = 2, end = false }: { readonly seconds?: number; readonly end?: boolean } = {},
): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part);
      if (end) socket.end();
    });
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(done, 1000 * seconds);
    socket.on("data", (data) => {
      text += data.toString("latin1");
    });
    socket.on("error", done);
    socket.on("close", done);
  });
}
