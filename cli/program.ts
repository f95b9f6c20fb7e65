import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { EspalierError } from "../core/errors.ts";
import { addDoctor } from "./doctor.ts";
import { addEvaluate } from "./evaluate.ts";
import { addInspect } from "./inspect.ts";
import { addPredict } from "./predict.ts";
import { reportError } from "./report-error.ts";
import { addServe } from "./serve.ts";
import { addTrain } from "./train.ts";

/** Adds one command to the program. */
export type AddCommand = (program: Command) => void;

/** In the order in which people meet them. */
const commands: readonly AddCommand[] = [addTrain, addPredict, addEvaluate, addServe, addInspect, addDoctor];

/**
 * Runs one command.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0, 2 for what the user can mend, 1 for a defect or a failing machine, 130 when stopped
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error);
    if (error.exitCode === 0) return 0; // --help and --version
    return reportError(new EspalierError("ARGUMENT_INVALID", tidyMessage(error.message)));
  }
}

/** The command line: names and outputs are a contract. */
export function createProgram(): Command {
  const program = new Command("espalier")
    .description("From a table to a monitored prediction endpoint: train, predict, evaluate, serve and deploy models.")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined }) // errors are reported once, by us
    .addHelpText("after", `\nExamples:\n  espalier train table.csv --target price\n  espalier serve table-price\n`);
  for (const add of commands) add(program);
  for (const command of program.commands) command.exitOverride().helpOption("--help", "show help");
  // Without a command there is nothing to do: help is the answer, not an error.
  program.action((_options, command: Command) => {
    const [unknown] = command.args;
    if (unknown === undefined) program.outputHelp();
    else program.error(`error: unknown command '${unknown}'`);
  });
  return program;
}

/** Commander's sentence without its prefix, on one line. */
function tidyMessage(message: string): string {
  return message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}

function packageVersion(): string {
  // From source this file is in cli/, from the package in dist/cli/.
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (typeof found === "object" && found !== null && "version" in found) return String(found.version);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return "unknown";
}
