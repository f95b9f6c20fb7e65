/** Bytes that can be read again and again: a file, a Blob, a URL, memory. */
export interface ByteSource {
  /** For messages: a path or an address. */
  readonly name: string;
  /** Bytes in all, where that is known without reading. */
  readonly size?: number;
  /**
   * Starts reading. Failures come out of the stream.
   *
   * @param start bytes to leave out at the beginning; default 0
   */
  open(start?: number): ReadableStream<Uint8Array>;
}

/** Bytes, or text as UTF-8, in memory. */
export function memorySource(name: string, contents: Uint8Array | string): ByteSource {
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  return {
    name,
    size: bytes.length,
    open: (start = 0) =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          if (start < bytes.length) controller.enqueue(bytes.subarray(start));
          controller.close();
        },
      }),
  };
}

/** A Blob or File: what a page gets from an input element or a drop. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return { name, size: blob.size, open: (start = 0) => (start === 0 ? blob : blob.slice(start)).stream() };
}
