import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Curves } from "./demo.ts";

const height = 220;

/** Loss by step on the left, held-out accuracy on the right. */
export function CurvesChart({ curves }: { readonly curves: Curves }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(chartOptions(element), [[], [], []], element);
    };
    make();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    // Colours are read when the chart is made.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", make);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  useEffect(() => plot.current?.setData(chartData(curves)), [curves]);
  const last = curves.accuracies.at(-1);
  const label = `Chart of the training loss and the held-out accuracy${last === undefined ? "" : `, now ${(last * 100).toFixed(1)}%`}`;
  return <div ref={box} class="chart" role="img" aria-label={label} />;
}

function chartOptions(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width: Math.max(200, element.clientWidth),
    height,
    legend: { show: true, live: false },
    cursor: { show: false },
    scales: { x: { time: false }, loss: { range: (_, __, high) => [0, Math.max(0.5, high)] }, accuracy: { range: [0, 1] } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, scale: "loss", size: 40 },
      {
        ...axis,
        scale: "accuracy",
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- an enum of types only: there is no value to import
        side: 1,
        size: 48,
        grid: { show: false },
        values: (_, ticks) => ticks.map((tick) => `${Math.round(tick * 100)}%`),
      },
    ],
    series: [
      { label: "Step" },
      { label: "Loss", scale: "loss", stroke: colour("--loss"), width: 1.5, points: { show: false } },
      {
        label: "Held-out accuracy",
        scale: "accuracy",
        stroke: colour("--accent"),
        width: 2.5,
        spanGaps: true,
        points: { show: true, size: 6, fill: colour("--accent") },
      },
    ],
  };
}

function chartData({ steps, losses, epochSteps, accuracies }: Curves): uPlot.AlignedData {
  const byStep = new Map(epochSteps.map((step, i) => [step, accuracies[i]]));
  return [[...steps], [...losses], steps.map((step) => byStep.get(step))];
}
