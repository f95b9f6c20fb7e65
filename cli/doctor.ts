import type { Command } from "commander";
import pc from "picocolors";
import { nodeBackends } from "../node/backends.ts";
import { examineBackend, type Examination } from "../node/examine-backend.ts";
import { createOutput, formatNumber } from "./output.ts";

/** `espalier doctor`: which backends work here, by running a step on each. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("show which backends work here, how fast, and how to get the others")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  espalier doctor\n  espalier doctor --json\n")
    .action(doctor);
}

async function doctor(options: { readonly json?: boolean }): Promise<void> {
  const output = createOutput(options);
  const found: Examination[] = [];
  for (const driver of nodeBackends) {
    output.status(`trying ${driver.name} ...`);
    const examination = await examineBackend(driver);
    found.push(examination);
    for (const line of describe(examination)) output.line(line);
  }
  const chosen = found.find(({ works, software }) => works && software !== true) ?? found.find(({ works }) => works);
  output.line(chosen === undefined ? pc.red("\nno backend works here") : `\n"auto" takes ${pc.bold(chosen.name)}`);
  output.result({ ok: chosen !== undefined, backends: found, auto: chosen?.name });
  if (chosen === undefined) process.exitCode = 2;
}

function describe({ name, works, device, software, reason, install, stepsPerSecond }: Examination): string[] {
  const mark = works ? pc.green("works") : pc.yellow("does not work here");
  const speed = stepsPerSecond === undefined ? "" : `, ${formatNumber(stepsPerSecond)} training steps/s (64-256-256-10, 128 rows)`;
  const lines = [`${pc.bold(name)}  ${mark}${device === undefined ? "" : `: ${device}${software === true ? " (software)" : ""}`}${speed}`];
  if (reason !== undefined) lines.push(`  ${reason}`);
  if (install !== undefined) lines.push(`  to get it: ${install}`);
  return lines;
}
