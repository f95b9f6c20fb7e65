import { open, stat } from "node:fs/promises";
import { EspalierError } from "../../core/index.ts";
import type { ByteSource } from "../../core/index.ts";

/** Bytes of one read: large enough that the calls cost nothing beside parsing, small enough to stay in the cache. */
const chunkBytes = 2 ** 18;

/**
 * A file as a source of bytes.
 *
 * @param path as the user wrote it: it is the source's name in messages
 * @throws FILE_UNREADABLE when the file is missing, is a folder or may not be read; later failures come out of the stream
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const info = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (info.isDirectory()) throw new EspalierError("FILE_UNREADABLE", `${path} is a folder; give a file of rows`, { path });
  const source: ByteSource = { name: path, open: (start = 0) => readFrom(path, start) };
  await probe(source);
  return info.isFile() ? { ...source, size: info.size } : source;
}

/** Opens the file for a moment, so that missing rights show at once. */
async function probe({ name }: ByteSource): Promise<void> {
  const handle = await open(name, "r").catch((error: unknown) => {
    throw unreadable(name, error);
  });
  await handle.close();
}

function readFrom(path: string, start: number): ReadableStream<Uint8Array> {
  let handle: Awaited<ReturnType<typeof open>> | undefined;
  let position = start;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          handle ??= await open(path, "r");
          const { bytesRead, buffer } = await handle.read({ buffer: new Uint8Array(chunkBytes), position });
          position += bytesRead;
          if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
          else {
            await handle.close();
            controller.close();
          }
        } catch (error) {
          await handle?.close();
          throw unreadable(path, error);
        }
      },
      cancel: async () => handle?.close(),
    },
    { highWaterMark: 1 },
  );
}

function unreadable(path: string, error: unknown): EspalierError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EACCES: "it may not be read; check its rights",
    EPERM: "it may not be read; check its rights",
    EISDIR: "it is a folder; give a file",
    ENOTDIR: "a part of its path is not a folder",
    ENAMETOOLONG: "its path is too long",
  };
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new EspalierError("FILE_UNREADABLE", `cannot read ${path}: ${reason}`, { path, reason: code }, { cause: error });
}
