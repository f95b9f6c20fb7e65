import pc from "picocolors";
import type { TrainedTable } from "../core/index.ts";
import type { TrainedBundle } from "../node/train-files.ts";
import { formatTable, type Output } from "./output.ts";

/** Says what training came to: the candidates side by side, and where the bundle is. */
export function reportTraining(
  { trained, run, path, backend }: TrainedBundle,
  { output, seconds }: { readonly output: Output; readonly seconds: number },
): void {
  const { best, candidates, diverged, table } = trained;
  output.detail("");
  for (const line of metricsTable(trained)) output.detail(line);
  if (candidates.length > 1) output.detail(verdict(trained));
  for (const { model, step, epoch } of diverged) output.line(`the ${model} model diverged in step ${step} of epoch ${epoch} and was not chosen from`);
  output.detail(`\nrun ${run}, ${seconds.toFixed(1)} s`);
  output.line(`wrote ${pc.bold(path)}; serve it with: espalier serve ${path}`);
  const { train: trainRows, validation, test } = table.parts;
  output.result({
    ok: true,
    run,
    bundle: path,
    task: table.target.task,
    target: table.target.column,
    model: best.name,
    backend,
    rows: { train: trainRows.length, validation: validation.length, test: test.length },
    metrics: best.test,
    seconds: Number(seconds.toFixed(3)),
    ...(table.baselines && { baselines: table.baselines }),
    candidates: candidates.map((candidate) => ({
      model: candidate.name,
      epochs: candidate.history.length,
      validation: candidate.validation,
      metrics: candidate.test,
    })),
    ...(diverged.length > 0 && { diverged }),
  });
}

function metricsTable({ candidates, best, table: { baselines = {} } }: TrainedTable): string[] {
  const names = [...new Set(candidates.flatMap(({ test }) => Object.keys(test)))];
  const rows = candidates.map((candidate) => [
    candidate.name + (candidate === best && candidates.length > 1 ? " *" : ""),
    ...names.map((name) => candidate.test[name] ?? ""),
  ]);
  const plain = Object.entries(baselines).map(([name, metrics]) =>
    ["name", ...names].map((metric) => (metric === "name" ? name : (metrics[metric] ?? ""))),
  );
  return formatTable([["held-out rows", ...names], ...plain, ...rows]);
}

function verdict({ best, candidates, table }: TrainedTable): string {
  const measure = table.target.task === "classification" ? "log loss" : "rmse";
  return best.name === candidates[0]?.name
    ? `* kept: the network does not beat the linear model on the validation rows (${measure}), and the simpler one wins`
    : `* kept: it beats the linear model on the validation rows (${measure})`;
}
