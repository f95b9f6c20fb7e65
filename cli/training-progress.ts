import pc from "picocolors";
import type { StopReason, TrainingEvent } from "../core/index.ts";
import { formatNumber, type Output } from "./output.ts";

/** Lines that the epochs of one model get at most when nobody watches a bar. */
const plainLines = 20;

const reasons: Readonly<Record<StopReason, string>> = {
  finished: "all epochs done",
  "early-stopping": "no more progress on validation rows",
  cancelled: "stopped",
  stopped: "stopped",
  diverged: "the loss was no finite number",
};

/** Characters of the bar. */
const barWidth = 24;

/**
 * Shows one model's training: a bar with loss, rate and remaining time on a terminal, plain lines of some epochs otherwise.
 *
 * @param title the model's name
 */
export function trainingProgress(title: string, output: Output): (event: TrainingEvent) => void {
  let every = 1;
  let speed = "";
  return (event) => {
    switch (event.kind) {
      case "start":
        every = Math.max(1, Math.ceil(event.epochs / plainLines));
        output.detail(`${pc.bold(title)}: ${event.parameters} parameters, at most ${event.epochs} epochs on ${event.backend} (${event.device})`);
        if (event.batchSize?.why !== undefined) output.detail(`  batches of ${event.batchSize.rows} rows: ${event.batchSize.why}`);
        return;
      case "step": {
        const inEpoch = event.rowsPerEpoch === undefined || event.rowsPerEpoch === 0 ? 0 : event.rows / event.rowsPerEpoch;
        const done = Math.min(1, (event.epoch - 1 + inEpoch) / event.epochs);
        speed = rates(event.rowsPerSecond, event.remainingMs);
        output.status(`${bar(done)} epoch ${event.epoch}/${event.epochs}  loss ${formatNumber(event.loss)}${speed}`);
        return;
      }
      case "epoch": {
        const { record, epochs } = event;
        if (record.epoch !== 1 && record.epoch !== epochs && record.epoch % every !== 0) return;
        const validation = Object.entries(record.validation ?? {})
          .map(([name, value]) => `  validation ${name} ${formatNumber(value)}`)
          .join("");
        output.detail(`  epoch ${record.epoch}/${epochs}  loss ${formatNumber(record.loss)}${validation}${speed}`);
        return;
      }
      case "checkpoint":
        return;
      case "stopped": {
        output.detail(`  ${event.why ?? reasons[event.reason]} after epoch ${event.epoch}; the best was epoch ${event.bestEpoch}`);
        return;
      }
      default:
        event satisfies never;
    }
  };
}

function bar(done: number): string {
  const filled = Math.round(done * barWidth);
  return `${pc.green("█".repeat(filled))}${pc.dim("░".repeat(barWidth - filled))} ${String(Math.floor(100 * done)).padStart(3)}%`;
}

function rates(rowsPerSecond: number | undefined, remainingMs: number | undefined): string {
  const rate = rowsPerSecond === undefined ? "" : `  ${Math.round(rowsPerSecond)} rows/s`;
  return remainingMs === undefined ? rate : `${rate}  ETA ${formatDuration(remainingMs)}`;
}

/** 00:07, 12:30, 1:02:03. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}
