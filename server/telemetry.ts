import { createCounter, createGauge, createHistogram, type Metric } from "./prometheus.ts";
import type { ModelRegistry, ServedModel } from "./registry.ts";

/** One answered request. `route` is the pattern, never the path: clients must not be able to invent series. */
export interface RequestRecord {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly model: string | undefined;
  readonly durationMs: number;
}

/** What a platform knows of its process. */
export interface ProcessReading {
  readonly residentMemoryBytes: number;
  readonly cpuSeconds: number;
  readonly startTimeSeconds: number;
}

/** The server's measurements. Made before the registry, whose batchers report to it. */
export interface Telemetry {
  readonly requestStarted: () => void;
  readonly requestEnded: (record: RequestRecord) => void;
  readonly batchRun: (model: ServedModel, batch: { readonly rows: number; readonly requests: number }) => void;
  /** The Prometheus text. */
  readonly render: (registry: ModelRegistry) => string;
}

/** @param readProcess memory and processor time, where the platform tells */
export function createTelemetry({ readProcess }: { readonly readProcess?: () => ProcessReading } = {}): Telemetry {
  const requests = createCounter("espalier_requests_total", "Requests answered, by route, status and model.");
  const duration = createHistogram("http_server_request_duration_seconds", "Time from a request's arrival to its answer.", latencyBounds);
  const rows = createCounter("espalier_rows_total", "Rows predicted.");
  const batchRows = createHistogram("espalier_batch_rows", "Rows of one run of a model.", sizeBounds);
  const batchRequests = createHistogram("espalier_batch_requests", "Requests answered by one run of a model.", sizeBounds);
  let inFlight = 0;

  return {
    requestStarted: () => {
      inFlight += 1;
    },
    requestEnded: ({ method, route, status, model, durationMs }) => {
      inFlight -= 1;
      requests.add(1, { method, route, status: String(status), model: model ?? "" });
      duration.observe(durationMs / 1000, { http_request_method: method, http_route: route, http_response_status_code: String(status) });
    },
    batchRun: (model, batch) => {
      const labels = { model: model.name, version: model.version };
      rows.add(batch.rows, labels);
      batchRows.observe(batch.rows, labels);
      batchRequests.observe(batch.requests, labels);
    },
    render: (registry) => {
      const gauges = [
        createGauge("espalier_requests_in_flight", "Requests being answered.", () => [{ value: inFlight }]),
        createGauge("espalier_requests_queued", "Requests waiting for a model.", () =>
          registry.list().map((model) => ({ labels: { model: model.name, version: model.version }, value: model.batcher.queued })),
        ),
        createGauge("espalier_models_loaded", "Model versions served.", () => [{ value: registry.list().length }]),
        ...(readProcess === undefined ? [] : processMetrics(readProcess())),
      ];
      return [requests, duration, rows, batchRows, batchRequests, ...gauges].map((metric) => metric.render()).join("");
    },
  };
}

/** Seconds; from a small model's quarter millisecond up. */
const latencyBounds: readonly number[] = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const sizeBounds: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Named as Prometheus' own client libraries name them. */
function processMetrics({ residentMemoryBytes, cpuSeconds, startTimeSeconds }: ProcessReading): Metric[] {
  const cpu = createCounter("process_cpu_seconds_total", "User and system processor time.");
  cpu.add(cpuSeconds);
  return [
    createGauge("process_resident_memory_bytes", "Resident memory.", () => [{ value: residentMemoryBytes }]),
    createGauge("process_start_time_seconds", "Start of the process, in seconds since 1970.", () => [{ value: startTimeSeconds }]),
    cpu,
  ];
}
