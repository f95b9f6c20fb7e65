/** One line of a chart: a value for each epoch, from the first. */
export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}

const [width, height, left, top, right, bottom] = [640, 360, 60, 24, 150, 44];
const colors = ["#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce"];

/**
 * A chart of curves over epochs as SVG, readable on light and dark pages. Curves of one name (the seeds of one system) have one colour and one legend.
 *
 * @param axis what the values are
 */
export function curvesSvg(title: string, axis: string, curves: readonly Curve[]): string {
  const values = curves.flatMap((curve) => curve.values).filter(Number.isFinite);
  const epochs = Math.max(...curves.map((curve) => curve.values.length));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = niceStep((high > low ? high - low : Math.abs(high) || 1) / 5); // one epoch may have one value
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const [floor, ceiling] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (epoch: number): number => left + ((epoch - 1) * (width - left - right)) / Math.max(1, epochs - 1);
  const y = (value: number): number => top + ((ceiling - value) * (height - top - bottom)) / (ceiling - floor);
  const names = [...new Set(curves.map((curve) => curve.name))];
  const color = (name: string): string => colors[names.indexOf(name) % colors.length] ?? "#555";
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#777">`,
    `<title>${title}</title>`,
    ...ticks.flatMap((tick) => [
      `<line x1="${left}" x2="${width - right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#999" stroke-opacity=".3"/>`,
      `<text x="${left - 8}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick.toFixed(digits)}</text>`,
    ]),
    ...Array.from({ length: epochs }, (_, i) => `<text x="${x(i + 1).toFixed(1)}" y="${height - bottom + 18}" text-anchor="middle">${i + 1}</text>`),
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">epoch</text>`,
    `<text x="${left}" y="${top - 10}">${axis}</text>`,
    ...curves.map(({ name, values: line }) => {
      const points = line.map((value, i) => `${x(i + 1).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
      return `<polyline points="${points}" fill="none" stroke="${color(name)}" stroke-width="1.5"/>`;
    }),
    ...names.map((name, i) => `<text x="${width - right + 12}" y="${top + 12 + i * 18}" fill="${color(name)}">${name}</text>`),
    "</svg>",
    "",
  ].join("\n");
}

/** 1, 2 or 5 times a power of ten, not below. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}
