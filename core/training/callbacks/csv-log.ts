import { EspalierError } from "../../errors.ts";
import { recordNumbers } from "../monitor.ts";
import type { Callback } from "./callback.ts";

/** Where lines go: a file that a resumed run goes on writing. */
export interface TextSink {
  /** Opens it with its first `length` bytes; whatever follows is dropped. */
  open(length: number): Promise<void>;
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes a line for every epoch: `epoch,step,rows,loss,learningRate,validation.loss,...`. A resumed run goes on where its checkpoint's line ended.
 *
 * @throws CHECKPOINT_INVALID when a run is resumed from a checkpoint that was made without it
 * @see https://keras.io/api/callbacks/csv_logger/
 */
export function csvLog(sink: TextSink): Callback {
  let columns: readonly string[] = [];
  let length = 0;
  const append = async (cells: readonly (string | number)[]): Promise<void> => {
    const line = `${cells.map(csvCell).join(",")}\n`;
    await sink.append(line);
    length += new TextEncoder().encode(line).length;
  };
  return {
    name: "csv",
    async onStart({ step }, run) {
      columns = ["epoch", "step", "rows", ...run.numbers];
      const { length: kept } = run.restored ?? {};
      if (typeof kept === "number") {
        length = kept;
        return sink.open(length);
      }
      if (step > 0) {
        throw new EspalierError(
          "CHECKPOINT_INVALID",
          "csvLog: the run is resumed from a checkpoint that was made without it; leave it out or start anew",
        );
      }
      length = 0;
      await sink.open(0);
      await append(columns);
    },
    async onEpoch({ record }) {
      const { epoch, step, rows } = record;
      const numbers: Readonly<Record<string, number>> = { epoch, step, rows, ...recordNumbers(record) };
      await append(columns.map((name) => numbers[name] ?? ""));
    },
    onEnd: () => sink.close(),
    state: () => ({ length }),
  };
}

function csvCell(cell: string | number): string {
  const text = String(cell);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
