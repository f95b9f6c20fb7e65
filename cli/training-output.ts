import type { DivergedModel, PreparedTable, TableEvent } from "../core/index.ts";
import type { TrainFilesOptions } from "../node/train-files.ts";
import { formatNumber, type Output } from "./output.ts";
import { trainingProgress } from "./training-progress.ts";

/** Tells a person how training goes. */
export function trainingOutput(output: Output): Required<Pick<TrainFilesOptions, "onNote" | "onReading" | "onBackend" | "onEvent">> {
  return {
    onNote: (text) => output.note(text),
    onReading: (done, total) => void output.status(`reading images ${done}/${total}`),
    onBackend: (reason) => output.detail(`backend ${reason}`),
    onEvent: showEvents(output),
  };
}

function showEvents(output: Output): (event: TableEvent) => void {
  const shown = new Map<string, ReturnType<typeof trainingProgress>>();
  return (event) => {
    switch (event.kind) {
      case "prepared": {
        const { target, parts, features, leftOut, droppedRows } = event.table;
        const rows = `${parts.train.length} rows to train on, ${parts.validation.length} to choose by, ${parts.test.length} to test on`;
        output.detail(
          `${questionOf(event.table)} from ${features.features.length} ${features.features.length === 1 ? "column" : "columns"}: ${rows}`,
        );
        if (target.task === "classification" && target.numeric && target.classes.length > 2) {
          output.note(
            `the ${target.classes.length} different whole numbers of "${target.column}" are taken for classes; --task regression takes them for a quantity`,
          );
        }
        for (const { column, reason } of leftOut) output.note(`column "${column}" is left out: ${reason}`);
        if (droppedRows > 0) output.note(`${droppedRows} ${droppedRows === 1 ? "row is" : "rows are"} left out: the target is missing`);
        return;
      }
      case "training": {
        const progress = shown.get(event.model) ?? trainingProgress(event.model, output);
        shown.set(event.model, progress);
        progress(event.event);
        return;
      }
      case "trained":
        return;
      case "diverged":
        output.note(divergence(event.diverged));
        return;
      default:
        event satisfies never;
    }
  };
}

/** Which model, at which step, and what to do. */
function divergence({ model, step, epoch, learningRate }: DivergedModel): string {
  const place = `step ${step} of epoch ${epoch}, at learning rate ${formatNumber(learningRate)}`;
  return (
    `the ${model} model diverged in ${place}, and is out of the choice; give it a smaller --learning-rate, or look for extreme values in the data ` +
    `(--model ${model} says which operator went wrong)`
  );
}

function questionOf({ target, series }: PreparedTable): string {
  if (target.task === "classification") return `classification of "${target.column}" into ${target.classes.length} classes`;
  if (series === undefined) return `regression of "${target.column}"`;
  const { horizon, window } = series;
  return `forecast of ${horizon === 1 ? "the next value" : `the next ${horizon} values`} of "${target.column}" after windows of ${window} rows,`;
}
