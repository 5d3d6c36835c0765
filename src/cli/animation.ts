/** Texts shown one after another in one place of the terminal. */
import { setTimeout } from "node:timers/promises";

/** What is needed of a terminal. */
export interface Terminal {
  readonly rows: number;
  readonly columns: number;
  write(text: string): unknown;
}

/** Shows each frame in the place of the one before, eight a second, and takes the last away; frames that do not fit are not shown. */
export async function animate(frames: readonly string[], terminal: Terminal, milliseconds = 125): Promise<void> {
  for (const frame of frames) {
    const lines = frame.split("\n");
    if (lines.length >= terminal.rows || lines.some((line) => line.length > terminal.columns)) continue;
    terminal.write(`${frame}\n`);
    await setTimeout(milliseconds);
    // Up to where the frame began, and clear from there.
    terminal.write(`\u001b[${lines.length}A\u001b[J`);
  }
}
