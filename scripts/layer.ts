import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** The checkout's folder. */
export const root: string = join(import.meta.dirname, "..");

/** Folders whose parts are layers of their own: `core/graph`, `backends/webgpu`, `server/node`. */
const divided: ReadonlySet<string> = new Set(["core", "backends", "server", "browser"]);

/** The folder that stands for a file in reports: `core/graph` for core/graph/print.ts, `core` for core/tensor.ts, `cli` for cli/main.ts. */
export function layerOf(path: string): string {
  const [first = "", second, ...rest] = path.split("/");
  return divided.has(first) && second !== undefined && rest.length > 0 ? `${first}/${second}` : first;
}

/** Whether a file is a test or serves tests only. */
export function isTest(path: string): boolean {
  return path.startsWith("test/") || /\.test\.tsx?$|(^|\/)testing\//.test(path);
}

/** All TypeScript files of the repository that git does not ignore, new ones too; paths from the root, sorted. */
export function sourceFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.ts", "*.tsx"], {
    cwd: root,
    encoding: "utf8",
  });
  const deleted = execFileSync("git", ["ls-files", "--deleted"], { cwd: root, encoding: "utf8" });
  const gone = new Set(deleted.split("\n"));
  return listed
    .split("\n")
    .filter((path) => path !== "" && !gone.has(path))
    .toSorted();
}
