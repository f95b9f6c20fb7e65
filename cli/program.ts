import { Command, CommanderError } from "commander";
import { EspalierError, suggestNames } from "../core/index.ts";
import { packageVersion } from "../node/package-version.ts";
import { addDeploy } from "./deploy.ts";
import { addDoctor } from "./doctor.ts";
import { addEvaluate } from "./evaluate.ts";
import { addInspect } from "./inspect.ts";
import { addPredict } from "./predict.ts";
import { reportError } from "./report-error.ts";
import { addRuns } from "./runs.ts";
import { addServe } from "./serve.ts";
import { addTrain } from "./train.ts";

/** Adds one command to the program. */
export type AddCommand = (program: Command) => void;

/** In the order in which people meet them. */
const commands: readonly AddCommand[] = [addTrain, addPredict, addEvaluate, addServe, addInspect, addDeploy, addDoctor, addRuns];

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
    .usage("<command> [options]")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined }) // errors are reported once, by us
    .addHelpText("after", `\nExamples:\n  espalier train table.csv --target price\n  espalier serve table-price\n`);
  for (const add of commands) add(program);
  for (const command of program.commands) command.exitOverride().helpOption("--help", "show help");
  // Without a command there is nothing to do: help is the answer, not an error.
  program.argument("[command]").allowExcessArguments(true);
  program.action((unknown: string | undefined) => {
    if (unknown === undefined) return program.outputHelp();
    const names = program.commands.map((command) => command.name());
    throw new EspalierError("ARGUMENT_INVALID", `no command "${unknown}"${suggestNames(unknown, names)}`, { command: unknown });
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
