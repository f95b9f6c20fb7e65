import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { EspalierError, type ExternalData } from "../../core/index.ts";

/** The files beside a model that hold its weights. */
export interface ExternalFiles {
  readonly read: ExternalData;
  close(): void;
}

/**
 * Reads parts of the files in a model's folder. The model names them, and the model is not trusted: a path out of the folder, through a link too,
 * is refused, and so is a part that the file does not have, before memory is taken for it.
 *
 * @throws DATA_MALFORMED for paths and parts that are refused; FILE_UNREADABLE
 */
export function externalFiles(folder: string): ExternalFiles {
  const open = new Map<string, { readonly descriptor: number; readonly size: number }>();
  return {
    read(location, { offset, length }) {
      const file = open.get(location) ?? openInside(folder, location);
      open.set(location, file);
      if (offset + length > file.size) {
        refuse(location, `it has ${file.size} bytes, but ${length} from byte ${offset} are wanted`);
      }
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = readSync(file.descriptor, bytes, done, length - done, offset + done);
        if (count === 0) refuse(location, `it ends at byte ${offset + done}`);
        done += count;
      }
      return bytes;
    },
    close() {
      for (const { descriptor } of open.values()) closeSync(descriptor);
      open.clear();
    },
  };
}

function openInside(folder: string, location: string): { readonly descriptor: number; readonly size: number } {
  const parts = location.split(/[/\\]/);
  if (location === "" || location.includes("\0") || isAbsolute(location) || /^[A-Za-z]:/.test(location) || parts.includes("..")) {
    refuse(location, "a model may name files in its own folder only");
  }
  try {
    const inside = relative(realpathSync(folder), realpathSync(join(folder, location)));
    if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) refuse(location, "a link leads out of the model's folder");
    // Without waiting: a pipe would block for ever.
    const descriptor = openSync(join(realpathSync(folder), inside), constants.O_RDONLY | constants.O_NONBLOCK);
    const info = fstatSync(descriptor);
    if (info.isFile()) return { descriptor, size: info.size };
    closeSync(descriptor);
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("FILE_UNREADABLE", `cannot read "${location}", where the ONNX model has weights: ${reason}`, { location }, { cause });
  }
  return refuse(location, "it is not a file");
}

function refuse(location: string, message: string): never {
  throw new EspalierError("DATA_MALFORMED", `the ONNX model has weights in "${location}": ${message}`, { location });
}
