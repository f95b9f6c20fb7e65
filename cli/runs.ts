import type { Command } from "commander";
import pc from "picocolors";
import type { RunRecord } from "../core/index.ts";
import { reproduceRun, resumeRun } from "../node/reproduce-run.ts";
import { fileRuns, runsFolder } from "../node/tracking/file-runs.ts";
import { withInterrupt } from "./interrupt.ts";
import { createOutput, formatNumber, formatTable } from "./output.ts";
import { reportTraining } from "./training-report.ts";
import { trainingOutput } from "./training-output.ts";

interface RunsOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `espalier runs list|show|resume|reproduce`: what was trained here, going on with it, and the same again. */
export function addRuns(program: Command): void {
  const runs = program
    .command("runs")
    .description("list, show, resume and repeat the training runs recorded in this folder")
    .addHelpText("after", "\nExamples:\n  espalier runs list\n  espalier runs show 20261123-104012\n  espalier runs reproduce 20261123-104012\n");
  runs
    .command("list")
    .description("all runs, newest first")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  espalier runs list\n  espalier runs list --json\n")
    .action(listRuns);
  runs
    .command("show")
    .description("one run: settings, data, metrics over time")
    .argument("<id>", "a run's id, or the start of one")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  espalier runs show 20261123-104012\n")
    .action(showRun);
  runs
    .command("resume")
    .description("go on with a run that was stopped, killed or failed, from its last checkpoint")
    .argument("<id>", "a run's id, or the start of one")
    .option("--json", "end with one JSON object on stdout")
    .option("--quiet", "no progress")
    .addHelpText("after", "\nExamples:\n  espalier runs resume 20261123-104012\n")
    .action((id: string, options: RunsOptions) => withInterrupt((signal) => resume(id, options, signal)));
  runs
    .command("reproduce")
    .description("train again with a run's settings on the same data, and compare the models")
    .argument("<id>", "a run's id, or the start of one")
    .option("--json", "end with one JSON object on stdout")
    .option("--quiet", "no progress")
    .addHelpText("after", "\nExamples:\n  espalier runs reproduce 20261123-104012\n")
    .action((id: string, options: RunsOptions) => withInterrupt((signal) => reproduce(id, options, signal)));
}

async function resume(id: string, options: RunsOptions, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const output = createOutput(options);
  const result = await resumeRun(id, { runs: runsFolder, signal, ...trainingOutput(output) });
  reportTraining(result, { output, seconds: (performance.now() - started) / 1000 });
}

async function listRuns(options: RunsOptions): Promise<void> {
  const output = createOutput(options);
  const records = await fileRuns().list();
  if (records.length === 0) output.line(`no runs are recorded in ${runsFolder}; espalier train records each`);
  else
    for (const line of formatTable([["run", "status", "target", "model", "metric", "seconds", "data"], ...records.map(summary)])) output.line(line);
  output.result({ ok: true, runs: records });
}

async function showRun(id: string, options: RunsOptions): Promise<void> {
  const output = createOutput(options);
  const record = await fileRuns().get(id);
  const history = await fileRuns().history(record.id);
  output.line(
    `${pc.bold(record.id)}  ${record.status}${record.seconds === undefined ? "" : ` after ${record.seconds} s`}  started ${record.startedAt}`,
  );
  if (record.error !== undefined) output.line(pc.red(`error ${record.error.code}: ${record.error.message}`));
  const rows: (readonly [string, string])[] = [
    ["data", `${record.data.files.join(", ")} (${record.data.rows} rows, SHA-256 ${record.data.fingerprint.slice(0, 16)})`],
    ...Object.entries(record.parameters).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const),
    ...Object.entries(record.batchSizes ?? {}).map(([model, size]) => [`rows of a batch, ${model}`, String(size)] as const),
    ...Object.entries(record.environment),
    ["espalier", record.version],
    ...(record.resumedAt ?? []).map((time) => ["resumed", time] as const),
    ...(record.logs === undefined ? [] : [["logs", record.logs] as const]),
    ...record.artifacts.map(({ kind, path, version }) => [kind, version === undefined ? path : `${path} (version ${version})`] as const),
  ];
  for (const line of formatTable(rows.map(([name, value]) => [`  ${name}`, value]))) output.line(line);
  if (record.metrics !== undefined) {
    output.line(`\n${record.model ?? "model"} on held-out rows`);
    for (const line of formatTable(Object.entries(record.metrics).map(([name, value]) => [`  ${name}`, value]))) output.line(line);
  }
  for (const { model, step, epoch, learningRate } of record.diverged ?? [])
    output.line(pc.yellow(`${model} diverged in step ${step} of epoch ${epoch}, at learning rate ${formatNumber(learningRate)}`));
  for (const series of new Set(history.map((point) => point.series))) {
    const points = history.filter((point) => point.series === series);
    const last = points.at(-1);
    const values = Object.entries(last?.values ?? {}).map(([name, value]) => `${name} ${formatNumber(value)}`);
    output.line(`${series}: ${points.length} epochs, at the last ${values.join(", ")}`);
  }
  output.result({ ok: true, run: record, history });
}

async function reproduce(id: string, options: RunsOptions, signal: AbortSignal): Promise<void> {
  const output = createOutput(options);
  const { record, again, identical } = await reproduceRun(id, { runs: runsFolder, signal, ...trainingOutput(output) });
  const before = record.metrics ?? {};
  output.line(`\nrun ${again.run} repeats ${record.id}`);
  const metrics = again.trained.best.test;
  for (const line of formatTable([["", "then", "now"], ...Object.entries(metrics).map(([name, value]) => [`  ${name}`, before[name] ?? "", value])]))
    output.line(line);
  output.line(
    identical
      ? pc.green("the same model, bit for bit")
      : pc.yellow("another model: the machine, the backend or Espalier's version differs (see espalier runs show)"),
  );
  output.result({ ok: true, run: again.run, reproduces: record.id, identical, bundle: again.path, metrics });
}

function summary({ id, status, parameters, model, metrics, seconds, data }: RunRecord): (string | number)[] {
  const [metric] = Object.entries(metrics ?? {});
  const shown = metric === undefined ? "" : `${metric[0]} ${formatNumber(metric[1])}`;
  return [
    id,
    status,
    String(parameters["target"]),
    model ?? "",
    shown,
    seconds ?? "",
    data.files.map((file) => file.split(/[\\/]/).at(-1)).join(", "),
  ];
}
