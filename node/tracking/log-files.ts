import { randomUUID } from "node:crypto";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { csvLog, EspalierError, tensorBoard, type Callback, type TensorBoardOptions } from "../../core/index.ts";

/**
 * A callback that writes a line for every epoch into a file; a resumed run goes on in it.
 *
 * @throws (when training starts) FILE_UNREADABLE naming the path
 */
export function csvFile(path: string): Callback {
  const file = logFile(() => path);
  const encoder = new TextEncoder();
  return csvLog({ open: (length) => file.open(length), append: (text) => file.append(encoder.encode(text)), close: () => file.close() });
}

/**
 * A callback that writes TensorBoard event files into a folder: `tensorboard --logdir <folder>` shows them while training goes on.
 *
 * @throws (when training starts) FILE_UNREADABLE naming the path
 */
export function tensorBoardFiles(folder: string, options: Omit<TensorBoardOptions, "sink" | "now"> = {}): Callback {
  // TensorBoard reads a folder's files in the order of their names: two runs within a second need the milliseconds.
  const file = logFile(() => join(folder, `events.out.tfevents.${String(Date.now()).padStart(13, "0")}.${hostname()}.${randomUUID().slice(0, 8)}`));
  const now = (): number => Date.now() / 1000;
  return tensorBoard({ ...options, now, sink: { open: () => file.open(0), append: file.append, close: file.close } });
}

interface LogFile {
  readonly open: (length: number) => Promise<void>;
  readonly append: (bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A file that is appended to and can be cut back to a length when it is opened. */
function logFile(pathOf: () => string): LogFile {
  let handle: FileHandle | undefined;
  let path = "";
  const failed = (cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("FILE_UNREADABLE", `cannot write the log ${path}: ${reason}`, { path }, { cause });
  };
  const close = async (): Promise<void> => {
    const opened = handle;
    handle = undefined;
    await opened?.close();
  };
  return {
    async open(length) {
      await close();
      path = pathOf();
      await mkdir(dirname(path), { recursive: true }).catch(failed);
      handle = await open(path, length === 0 ? "w" : "r+").catch(failed);
      if (length === 0) return;
      const { size } = await handle.stat();
      if (size < length) failed(new Error(`it has ${size} bytes, the checkpoint knows ${length}; start anew or log elsewhere`));
      await handle.truncate(length);
      await handle.close();
      handle = await open(path, "a").catch(failed);
    },
    async append(bytes) {
      await handle?.appendFile(bytes).catch(failed);
    },
    close,
  };
}
