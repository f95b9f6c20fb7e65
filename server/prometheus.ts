/** Labels of one measurement, in any order. */
export type Labels = Readonly<Record<string, string>>;

/** Something that `/metrics` shows. */
export interface Metric {
  readonly name: string;
  /** Its lines in the text format, with HELP and TYPE. */
  render(): string;
}

/** A number that only grows. Its name ends in `_total`. */
export interface Counter extends Metric {
  add(amount: number, labels?: Labels): void;
}

/** Counts of measurements at or below each bound, their sum and number. */
export interface Histogram extends Metric {
  observe(value: number, labels?: Labels): void;
}

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

export function createCounter(name: string, help: string): Counter {
  const values = new Map<string, number>();
  return {
    name,
    add: (amount, labels = {}) => {
      const key = formatLabels(labels);
      values.set(key, (values.get(key) ?? 0) + amount);
    },
    render: () =>
      block(
        name,
        "counter",
        help,
        Array.from(values, ([labels, value]) => `${name}${braced(labels)} ${formatNumber(value)}`),
      ),
  };
}

/** @param read gives the current values when `/metrics` is asked */
export function createGauge(name: string, help: string, read: () => readonly { readonly labels?: Labels; readonly value: number }[]): Metric {
  return {
    name,
    render: () =>
      block(
        name,
        "gauge",
        help,
        read().map(({ labels = {}, value }) => `${name}${braced(formatLabels(labels))} ${formatNumber(value)}`),
      ),
  };
}

/** @param bounds upper bounds of the buckets, rising, without infinity */
export function createHistogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const series = new Map<string, { readonly counts: number[]; sum: number; count: number }>();
  return {
    name,
    observe: (value, labels = {}) => {
      const key = formatLabels(labels);
      const found = series.get(key) ?? { counts: bounds.map(() => 0), sum: 0, count: 0 };
      const bucket = bounds.findIndex((bound) => value <= bound);
      if (bucket >= 0) found.counts[bucket] = (found.counts[bucket] ?? 0) + 1;
      found.sum += value;
      found.count += 1;
      series.set(key, found);
    },
    render: () => {
      const lines: string[] = [];
      for (const [labels, { counts, sum, count }] of series) {
        const prefix = labels === "" ? "" : `${labels},`;
        let below = 0;
        for (const [i, bound] of bounds.entries()) {
          below += counts[i] ?? 0;
          lines.push(`${name}_bucket{${prefix}le="${formatNumber(bound)}"} ${below}`);
        }
        lines.push(
          `${name}_bucket{${prefix}le="+Inf"} ${count}`,
          `${name}_sum${braced(labels)} ${formatNumber(sum)}`,
          `${name}_count${braced(labels)} ${count}`,
        );
      }
      return block(name, "histogram", help, lines);
    },
  };
}

function block(name: string, type: string, help: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function formatLabels(labels: Labels): string {
  return Object.keys(labels)
    .toSorted()
    .map((name) => `${name}="${(labels[name] ?? "").replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`)
    .join(",");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
