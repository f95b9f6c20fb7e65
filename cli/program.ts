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
  import: async () => (await import("./import.ts")).addImport,
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
  const program = createProgram();
  try {
    const [name = ""] = args;
    const called = Object.hasOwn(commands, name) ? commands[name] : undefined;
    // Before its options are read: they are not those of the program.
    if (called === undefined && /^[^-]/.test(name) && name !== "help")
      throw new EspalierError("ARGUMENT_INVALID", `no command "${name}"${suggestNames(name, Object.keys(commands))}`, { command: name });
    for (const load of called === undefined ? Object.values(commands) : [called]) (await load())(program);
    for (const command of withParts(program.commands)) command.allowExcessArguments(false);
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, { json });
    if (error.exitCode === 0) return 0; // --help and --version
    return reportError(new EspalierError("ARGUMENT_INVALID", messageOf(error, { program, args })), { json });
  }
}

/** Commands with their own commands. */
function withParts(parts: readonly Command[]): readonly Command[] {
  return parts.flatMap((command) => [command, ...withParts(command.commands)]);
}

function messageOf({ code, message }: CommanderError, { program, args }: { readonly program: Command; readonly args: readonly string[] }): string {
  if (code === "commander.help") return `"${args.join(" ")}" is not a whole command; espalier ${args.join(" ")} --help shows what may follow`;
  const tidy = tidyMessage(message);
  if (code === "commander.missingArgument") return `${tidy}; espalier ${args[0]} --help shows what belongs where`;
  const parts = program.commands.find((command) => command.name() === args[0])?.commands ?? [];
  if (code !== "commander.unknownCommand" || tidy.includes("Did you mean")) return tidy;
  return `${tidy}${suggestNames(
    "",
    parts.map((command) => command.name()),
  )}`;
}

/** The program without its commands. */
function createProgram(): Command {
  return (
    new Command("espalier")
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
      // Without a command there is nothing to do: help is the answer, not an error.
      .action((_unknown: undefined, _options: unknown, program: Command) => program.outputHelp())
  );
}

/** Commander's sentence without its prefix, on one line. */
function tidyMessage(message: string): string {
  return message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}
