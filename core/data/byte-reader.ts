import { EspalierError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { malformed } from "./csv-scanner.ts";

/** One pass over a source's bytes, decompressed when they are gzip. */
export interface ByteReader {
  /** The next bytes, at least `least` of them unless the end comes first; undefined at the end. */
  read(least?: number): Promise<Uint8Array | undefined>;
  /** Stops reading and frees the source. Calling twice is harmless. */
  close(): Promise<void>;
}

/** What a reader takes besides its source. */
export interface ByteReaderOptions {
  /** Decompressed bytes to leave out at the beginning. */
  readonly start?: number;
  /** Sees the bytes as they are stored. */
  readonly onBytes?: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/**
 * Opens a source. Gzip is known by its first two bytes, never by a name.
 *
 * Plain bytes start right at `start`; gzip cannot be entered in the middle and is decompressed up to there.
 *
 * @throws (from `read`) whatever the source throws; DATA_MALFORMED for damaged gzip; CANCELLED
 * @see RFC 1952, section 2.3.1 (the magic bytes)
 */
export async function openByteReader(source: ByteSource, options: ByteReaderOptions = {}): Promise<ByteReader> {
  const { start = 0, onBytes, signal } = options;
  const stored = streamReader(source.open(), onBytes);
  const first = await stored.read(2);
  const gzip = first !== undefined && first[0] === 0x1f && first[1] === 0x8b;
  if (!gzip) {
    if (start === 0) return withSignal(withFirst(stored, first), signal);
    await stored.close();
    return withSignal(streamReader(source.open(start)), signal);
  }
  const inflated = streamReader(inflate(withFirst(stored, first)));
  const reader = withSignal(inflatedReader(source.name, inflated), signal);
  for (let left = start; left > 0;) {
    const bytes = await reader.read();
    if (bytes === undefined) break;
    if (bytes.length > left) return withFirst(reader, bytes.subarray(left));
    left -= bytes.length;
  }
  return reader;
}

function streamReader(stream: ReadableStream<Uint8Array>, onBytes?: (bytes: Uint8Array) => void): ByteReader {
  const reader = stream.getReader();
  const readOne = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      if (value.length === 0) continue;
      onBytes?.(value);
      return value;
    }
  };
  return {
    async read(least = 1) {
      const first = await readOne();
      if (first === undefined || first.length >= least) return first;
      // Joined in one copy however small the parts are.
      const parts = [first];
      let length = first.length;
      for (let part = await readOne(); part !== undefined; part = await readOne()) {
        parts.push(part);
        length += part.length;
        if (length >= least) break;
      }
      return join(parts);
    },
    // A stream that already failed rejects its cancellation with the error that `read` has reported.
    close: () => reader.cancel().catch(() => undefined),
  };
}

function withFirst(reader: ByteReader, first: Uint8Array | undefined): ByteReader {
  let waiting = first;
  return {
    async read(least = 1) {
      if (waiting === undefined) return reader.read(least);
      const bytes = waiting;
      waiting = undefined;
      if (bytes.length >= least) return bytes;
      const more = await reader.read(least - bytes.length);
      return more === undefined ? bytes : join([bytes, more]);
    },
    close: () => reader.close(),
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function inflate(reader: ByteReader): ReadableStream<Uint8Array> {
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const bytes = await reader.read();
      if (bytes === undefined) controller.close();
      else controller.enqueue(bytes as Uint8Array<ArrayBuffer>); // no source of ours shares memory between threads
    },
    cancel: () => reader.close(),
  });
  return compressed.pipeThrough(new DecompressionStream("gzip"));
}

function inflatedReader(name: string, reader: ByteReader): ByteReader {
  return {
    async read(least) {
      try {
        return await reader.read(least);
      } catch (error) {
        if (error instanceof EspalierError) throw error;
        throw new EspalierError("DATA_MALFORMED", `${name}: the gzip data is damaged or cut off`, { source: name }, { cause: error });
      }
    },
    close: () => reader.close(),
  };
}

function withSignal(reader: ByteReader, signal: AbortSignal | undefined): ByteReader {
  if (signal === undefined) return reader;
  return {
    async read(least) {
      if (signal.aborted) {
        await reader.close();
        throw new EspalierError("CANCELLED", "reading was stopped", {}, { cause: signal.reason });
      }
      return reader.read(least);
    },
    close: () => reader.close(),
  };
}

/**
 * Refuses bytes that are no text: they would become rows of nonsense.
 *
 * @throws DATA_MALFORMED naming what the bytes look like
 */
export function refuseBinary(name: string, bytes: Uint8Array): void {
  const startsWith = (...magic: readonly number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (startsWith(0xff, 0xfe) || startsWith(0xfe, 0xff)) throw malformed(name, 1, "this is UTF-16 text; save it as UTF-8");
  if (startsWith(0x50, 0x41, 0x52, 0x31)) throw malformed(name, 1, "this is a Parquet file; write it as CSV or JSON lines");
  if (startsWith(0x50, 0x4b, 0x03, 0x04)) throw malformed(name, 1, "this is a ZIP archive or a spreadsheet; write it as CSV");
  if (bytes.subarray(0, 4096).includes(0)) throw malformed(name, 1, "this is not a text file: it holds zero bytes");
}
