#!/usr/bin/env node
import { runCommandLine } from "./program.ts";

// `espalier predict ... | head` closes the pipe when it has seen enough: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv.slice(2));
