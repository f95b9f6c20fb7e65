import { randomBytes } from "node:crypto";
import { join } from "node:path";

/** The folder, in the working directory, where runs are recorded. */
export const runsFolder: string = join(".espalier", "runs");

/** A new run's id: sorts by time, unique. @example "20261123-104012-3fa9c1" */
export function newRunId(now: Date = new Date()): string {
  const digits = now.toISOString().replaceAll(/\D/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(3).toString("hex")}`;
}

/** Where one run keeps its files. */
export function runFolder(id: string): string {
  return join(runsFolder, id);
}
