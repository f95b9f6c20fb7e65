import type { Profile } from "./profile.ts";
import type { Phase } from "./phase.ts";

/** A profile as a table: phases, then the slowest nodes. @param options.rows at most so many nodes; default 20 */
export function formatProfile(profile: Profile, { rows: limit = 20 }: { readonly rows?: number } = {}): string {
  const { graph, backend, device, batch, runMs, rows, phases, otherMs, outsideMs = 0 } = profile;
  const head = `${graph}, batch ${batch}, on ${backend} (${device}): ${milliseconds(runMs)} a run`;
  if (rows === undefined || phases === undefined) return `${head}\nthis backend does not tell how long its kernels take\n`;
  const kernels = rows.reduce((sum, { timeMs }) => sum + timeMs, otherMs);
  const share = (timeMs: number): string => `${((100 * timeMs) / Math.max(kernels, Number.MIN_VALUE)).toFixed(1)}%`;
  const names: readonly Phase[] = ["forward", "backward", "update"];
  const phaseRows = names.map((name) => [name, milliseconds(phases[name].timeMs), share(phases[name].timeMs), bytesText(phases[name].bytes)]);
  const otherRow = ["between nodes", milliseconds(otherMs), share(otherMs), ""];
  const outsideRow = ["feeds and results", milliseconds(outsideMs), "", ""];
  const shown = rows.slice(0, limit);
  const nodeRows = shown.map(({ node, operator, phase, timeMs, bytes, flops }) => [
    node,
    operator,
    phase,
    milliseconds(timeMs),
    share(timeMs),
    bytesText(bytes),
    flops === undefined ? "" : `${(flops / Math.max(timeMs, Number.MIN_VALUE) / 1e6).toFixed(1)} GFLOP/s`,
  ]);
  const left = rows.length - shown.length;
  return [
    head,
    "",
    ...table([["phase", "time", "share", "bytes"], ...phaseRows, ...(otherMs > 0 ? [otherRow] : []), outsideRow]),
    "",
    ...table([["node", "operator", "phase", "time", "share", "bytes", "speed"], ...nodeRows]),
    ...(left > 0 ? [`and ${left} more`] : []),
    "",
  ].join("\n");
}

/**
 * The last profiled run as a Chrome trace: the file that chrome://tracing and ui.perfetto.dev show.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export function chromeTrace({ timeline, rows = [], graph, backend, device }: Profile): string {
  const known = new Map(rows.map((row) => [row.node, row]));
  const events = timeline.map(({ node, origin, kernel, startMs, durationMs }) => {
    const row = origin === undefined ? undefined : known.get(origin);
    return {
      name: kernel,
      cat: row?.phase ?? "other",
      ph: "X",
      ts: startMs * 1000,
      dur: durationMs * 1000,
      pid: 1,
      tid: 1,
      args: { node, ...(row && { operator: row.operator, bytes: row.bytes, ...(row.flops !== undefined && { flops: row.flops }) }) },
    };
  });
  const names = [
    { name: "process_name", ph: "M", pid: 1, args: { name: `${graph} on ${backend} (${device})` } },
    { name: "thread_name", ph: "M", pid: 1, tid: 1, args: { name: "kernels" } },
  ];
  return JSON.stringify({ displayTimeUnit: "ms", traceEvents: [...names, ...events] });
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(3) : value.toFixed(1)} ms`;
}

/** 512 B, 3.2 kB, 14.1 MB. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
