import { Command, CommanderError } from "commander";
import { EspalierError } from "../core/errors.ts";
import { suggestNames } from "../core/nearest.ts";
import { packageVersion } from "../node/package-version.ts";
import { reportError } from "./report-error.ts";

/** Adds one command to the program. */
type AddCommand = (program: Command) => void;

/** In the order in which people meet them. A command's file is loaded when it is called, so that `serve` does not wait for what only training needs. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  train: async () => (await import("./train.ts")).addTrain,
  predict: async () => (await import("./predict.ts")).addPredict,
  evaluate: async () => (await import("./evaluate.ts")).addEvaluate,
  serve: async () => (await import("./serve.ts")).addServe,
  inspect: async () => (await import("./inspect.ts")).addInspect,
  export: async () => (await import("./export.ts")).addExport,
  profile: async () => (await import("./profile.ts")).addProfile,
  deploy: async () => (await import("./deploy.ts")).addDeploy,
  doctor: async () => (await import("./doctor.ts")).addDoctor,
  runs: async () => (await import("./runs.ts")).addRuns,
};

/**
 * Runs one command.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0, 2 for what the user can mend, 1 for a defect or a failing machine, 130 when stopped
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  try {
    const program = createProgram();
    const [name = ""] = args;
    const called = Object.hasOwn(commands, name) ? commands[name] : undefined;
    for (const load of called === undefined ? Object.values(commands) : [called]) (await load())(program);
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, { json });
    if (error.exitCode === 0) return 0; // --help and --version
    const message =
      error.code === "commander.help"
        ? `"${args.join(" ")}" is not a whole command; espalier ${args.join(" ")} --help shows what may follow`
        : tidyMessage(error.message);
    return reportError(new EspalierError("ARGUMENT_INVALID", message), { json });
  }
}

/** The program without its commands. */
function createProgram(): Command {
  return new Command("espalier")
    .description("From a table to a monitored prediction endpoint: train, predict, evaluate, serve and deploy models.")
    .version(packageVersion(), "-v, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .usage("<command> [options]")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined }) // errors are reported once, by us
    .addHelpText("after", "\nExamples:\n  espalier train table.csv --target price\n  espalier serve table-price\n")
    .argument("[command]")
    .allowExcessArguments(true)
    .action((unknown: string | undefined, _options: unknown, program: Command) => {
      // Without a command there is nothing to do: help is the answer, not an error.
      if (unknown === undefined) return program.outputHelp();
      throw new EspalierError("ARGUMENT_INVALID", `no command "${unknown}"${suggestNames(unknown, Object.keys(commands))}`, { command: unknown });
    });
}

/** Commander's sentence without its prefix, on one line. */
function tidyMessage(message: string): string {
  return message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}
