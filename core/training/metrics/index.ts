export { accuracy } from "./accuracy.ts";
export { type Metric, type MetricSums } from "./metric.ts";
export { mae, rootMeanSquaredError } from "./regression.ts";
export { onOutput, type OnOutputOptions } from "./on-output.ts";
