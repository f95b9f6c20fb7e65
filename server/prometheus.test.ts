import { describe, expect, it } from "vitest";
import { createCounter, createGauge, createHistogram } from "./prometheus.ts";

// Expected texts follow https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
describe("the Prometheus text", () => {
  it("sorts labels and escapes backslashes, quotes and line ends", () => {
    const counter = createCounter("hits_total", "Hits.\nAll of them.");
    counter.add(1, { b: 'say "hi"', a: "C:\\x\ny" });
    counter.add(2, { a: "C:\\x\ny", b: 'say "hi"' });
    expect(counter.render()).toBe(
      ["# HELP hits_total Hits.\\nAll of them.", "# TYPE hits_total counter", 'hits_total{a="C:\\\\x\\ny",b="say \\"hi\\""} 3', ""].join("\n"),
    );
  });

  it("counts a histogram's buckets cumulatively, bounds included, and ends them with +Inf", () => {
    const histogram = createHistogram("wait_seconds", "Waits.", [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value, { route: "/" });
    expect(histogram.render().split("\n").slice(2, -1)).toEqual([
      'wait_seconds_bucket{route="/",le="0.1"} 2',
      'wait_seconds_bucket{route="/",le="1"} 3',
      'wait_seconds_bucket{route="/",le="+Inf"} 4',
      'wait_seconds_sum{route="/"} 7.65',
      'wait_seconds_count{route="/"} 4',
    ]);
  });

  it("writes infinities and NaN as the format names them", () => {
    const gauge = createGauge("g", "G.", () => [{ value: Infinity }, { value: -Infinity, labels: { a: "1" } }, { value: NaN, labels: { a: "2" } }]);
    expect(gauge.render().split("\n").slice(2, -1)).toEqual(["g +Inf", 'g{a="1"} -Inf', 'g{a="2"} NaN']);
  });
});
