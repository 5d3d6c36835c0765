/** A passphrase, asked for on the terminal, which does not show it. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";

const [interrupt, endOfText, enter, lineFeed] = [3, 4, 13, 10];
const deletes = [8, 127];

/** What a person types; `undefined` where there is no terminal. It waits: files are opened in the midst of what needs them. */
export function askPassphrase(question: string): string | undefined {
  let terminal: number;
  try {
    terminal = openSync(process.platform === "win32" ? "CONIN$" : "/dev/tty", "r");
  } catch {
    return undefined;
  }
  const stream = new ReadStream(terminal);
  const typed: number[] = [];
  let isInterrupted = false;
  stream.setRawMode(true);
  try {
    writeSync(2, question);
    for (const byte = new Uint8Array(1); readByte(terminal, byte); ) {
      const [code = 0] = byte;
      isInterrupted = code === interrupt;
      if (isInterrupted || [endOfText, enter, lineFeed].includes(code)) break;
      if (!deletes.includes(code)) typed.push(code);
      // Of a letter of several bytes, all.
      else while (typed.length > 0 && ((typed.pop() ?? 0) & 0xc0) === 0x80);
    }
    writeSync(2, "\n");
  } finally {
    stream.setRawMode(false);
    stream.destroy();
    close(terminal);
  }
  if (isInterrupted) process.kill(process.pid, "SIGINT");
  return new TextDecoder().decode(Uint8Array.from(typed));
}

/** Whether there is another byte. */
function readByte(terminal: number, byte: Uint8Array): boolean {
  for (;;)
    try {
      return readSync(terminal, byte) > 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
}

function close(terminal: number): void {
  try {
    closeSync(terminal);
  } catch {
    // The stream has closed it.
  }
}
