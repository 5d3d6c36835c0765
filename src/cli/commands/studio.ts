/** `sardonyx studio`: runs looked at, compared and started on a page. */
import { OptionError } from "../../core/errors.ts";
import { isLoopback } from "../../storage/listen.node.ts";
import { openStudio } from "../../studio/studio.node.ts";
import { defineCommand, text, wholeNumber } from "../command.ts";
import { onInterrupt } from "../interrupt.ts";

export const command = defineCommand({
  arguments: [{ name: "DIR", description: "the folder whose runs are shown; default runs", optional: true }],
  options: {
    port: wholeNumber("where to listen; default 6060, 0 for any that is free", 0),
    host: text("HOST", "the address to listen on; default 127.0.0.1, this machine alone. Others need a password"),
    passwordEnv: text("NAME", "the environment variable that has the password, for --host beyond this machine"),
  },
  examples: [
    ["sardonyx studio", "the runs below runs/"],
    ["sardonyx studio experiments --port 0", "those of another folder, on any free port"],
    ["STUDIO=… sardonyx studio --host 0.0.0.0 --password-env STUDIO", "for other machines of a network that you trust"],
  ],
  async run({ arguments: [root = "runs"], options: { port = 6060, host = "127.0.0.1", passwordEnv }, output }) {
    const password = passwordEnv === undefined ? undefined : process.env[passwordEnv];
    if (passwordEnv !== undefined && !password)
      throw new OptionError(`the environment has no ${passwordEnv}, which is to hold the password; set it`);
    const interruption = onInterrupt(() => output.warn("\nClosing; trainings that it started end with a checkpoint."));
    try {
      const { url, closed } = await openStudio({
        root,
        listen: { port, host },
        ...(password !== undefined && { password }),
        signal: interruption.signal,
        onDefect: (error) => output.warn(`sardonyx: the studio failed on a request: ${(error as Error).stack}`),
      });
      const shown = password === undefined ? url : url.replace(/\?.*/, "?token=PASSWORD");
      output.record("studio", { url: shown, root });
      output.line(`The studio is open: ${shown}`, "good");
      if (!isLoopback(host))
        output.warn(
          `Whoever reaches ${host} and knows the password can look at, train and delete runs in ${root}, and sees what is sent.`,
        );
      output.line("Ctrl-C closes it.");
      await closed;
    } finally {
      interruption.release();
    }
  },
});
