import { EspalierError } from "../../core/index.ts";

// Flag values of the specification, spelled out: Node has no global GPUBufferUsage. @see https://www.w3.org/TR/webgpu/#buffer-usage
const usages = { mapRead: 0x0001, copySource: 0x0004, copyTarget: 0x0008, storage: 0x0080 } as const;
const mapModeRead = 0x0001;

/** Limits that plans are made with: the adapter's own, not the defaults that every device has. */
export interface DeviceLimits {
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxBindings: number;
}

const requested = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/**
 * An open device: buffers that are counted, pipelines that are made once, and failures that are kept.
 *
 * A GPU reports failure late and to whoever listens: a lost device resolves a promise, a bad command fires an event, and work submitted
 * afterwards is silently dropped. Here the first failure is remembered, and everything that is asked of the device later throws it.
 */
export class DeviceSession {
  readonly limits: DeviceLimits;
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<number, GPUBindGroupLayout>();
  readonly #buffers = new Set<GPUBuffer>();
  readonly #failed: Promise<never>;
  /** Kept while the device lives: without it Dawn in Node ends, or crashes, at the next garbage collection. */
  #gpu: GPU | undefined;
  #failure: EspalierError | undefined;
  #closed = false;

  /** @throws BACKEND_UNAVAILABLE when the adapter gives no device */
  static async open(gpu: GPU, adapter: GPUAdapter): Promise<DeviceSession> {
    const requiredLimits = Object.fromEntries(requested.map((name) => [name, adapter.limits[name]]));
    try {
      return new DeviceSession(gpu, await adapter.requestDevice({ label: "espalier", requiredLimits }));
    } catch (cause) {
      throw new EspalierError(
        "BACKEND_UNAVAILABLE",
        `the WebGPU adapter gave no device: ${messageOf(cause)}; close other programs that use the GPU`,
        {},
        { cause },
      );
    }
  }

  private constructor(gpu: GPU, device: GPUDevice) {
    this.#gpu = gpu;
    this.#device = device;
    this.limits = {
      maxBindingBytes: device.limits.maxStorageBufferBindingSize,
      maxBufferBytes: device.limits.maxBufferSize,
      maxBindings: device.limits.maxStorageBuffersPerShaderStage,
    };
    this.#failed = new Promise((_, reject) => {
      const fail = (error: EspalierError): void => {
        this.#failure ??= error;
        reject(this.#failure);
      };
      device.addEventListener("uncapturederror", (event) => {
        fail(new EspalierError("BACKEND_RUN_FAILED", `the GPU refused work: ${event.error.message}`, {}, { cause: event.error }));
      });
      void device.lost.then(({ reason, message }) => {
        if (this.#closed) return;
        fail(
          new EspalierError(
            "BACKEND_LOST",
            `the GPU device was lost (${reason}): ${message || "no reason given"}; open the backend again and continue from a checkpoint`,
            {
              reason,
            },
          ),
        );
      });
    });
    this.#failed.catch(() => undefined); // whoever runs next throws it
  }

  /** Buffers that were made and not yet destroyed. */
  get liveBuffers(): number {
    return this.#buffers.size;
  }

  get queue(): GPUQueue {
    return this.#device.queue;
  }

  /** @throws whatever the device failed with; ARGUMENT_INVALID after `close` */
  check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed || this.#gpu === undefined) throw new EspalierError("ARGUMENT_INVALID", "the webgpu backend was disposed; open it again", {});
  }

  /** Waits for device work; a failure of the device ends the wait, because the work's own promise may never settle. */
  async settle<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#failed]);
    } catch (error) {
      // A mapping is aborted a moment before the reason is known.
      const lost = await Promise.race([this.#device.lost.then(() => true), Promise.resolve(false)]);
      if (lost) await Promise.race([this.#failed, new Promise((resolve) => queueMicrotask(() => resolve(undefined)))]);
      throw this.#failure ?? error;
    }
  }

  /** Zeroed memory that kernels bind. @throws BACKEND_RUN_FAILED through `guarded` when the device has no room */
  createStorage(bytes: number, label: string): GPUBuffer {
    return this.#track(this.#device.createBuffer({ label, size: bytes, usage: usages.storage | usages.copySource | usages.copyTarget }));
  }

  /** Memory that results are copied to and read from. */
  createStaging(bytes: number, label: string): GPUBuffer {
    return this.#track(this.#device.createBuffer({ label, size: bytes, usage: usages.mapRead | usages.copyTarget }));
  }

  destroyBuffer(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  createEncoder(label: string): GPUCommandEncoder {
    return this.#device.createCommandEncoder({ label });
  }

  /** A copy of a mapped range's bytes. */
  async readStaging(buffer: GPUBuffer): Promise<ArrayBuffer> {
    await this.settle(buffer.mapAsync(mapModeRead));
    const bytes = buffer.getMappedRange().slice(0);
    buffer.unmap();
    return bytes;
  }

  /** One pipeline for each text, compiled once for the device's life. @throws BACKEND_RUN_FAILED with the compiler's message */
  async pipeline(code: string, { label, bindings }: { readonly label: string; readonly bindings: number }): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code);
    if (known) return await known;
    const made = this.#compile(code, { label, bindings });
    this.#pipelines.set(code, made);
    return await made;
  }

  createBindGroup(entries: readonly { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number }[], label: string): GPUBindGroup {
    return this.#device.createBindGroup({
      label,
      layout: this.#layout(entries.length),
      entries: entries.map((resource, binding) => ({ binding, resource })),
    });
  }

  /** Runs something that makes buffers and bindings, and turns what the device complains about into a throw. */
  async guarded<T>(what: string, make: () => T): Promise<T> {
    this.check();
    this.#device.pushErrorScope("out-of-memory");
    this.#device.pushErrorScope("validation");
    let made: T;
    try {
      made = make();
    } finally {
      const scopes = [this.#device.popErrorScope(), this.#device.popErrorScope()];
      const errors = await this.settle(Promise.all(scopes));
      const error = errors.find((item) => item !== null);
      // eslint-disable-next-line no-unsafe-finally -- what the device says explains what was thrown
      if (error) throw new EspalierError("BACKEND_RUN_FAILED", `${what}: the GPU refused it: ${error.message}`, {}, { cause: error });
    }
    return made;
  }

  /** Destroys every buffer and the device, and lets go of the implementation. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers.clear();
    this.#pipelines.clear();
    this.#device.destroy();
    await this.#device.lost;
    this.#gpu = undefined;
  }

  async #compile(code: string, { label, bindings }: { readonly label: string; readonly bindings: number }): Promise<GPUComputePipeline> {
    this.#device.pushErrorScope("validation");
    const shader = this.#device.createShaderModule({ label, code });
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout(bindings)] });
    const scope = this.#device.popErrorScope();
    const pipeline = this.#device.createComputePipelineAsync({ label, layout, compute: { module: shader, entryPoint: "main" } });
    pipeline.catch(() => undefined); // its own error says less than the shader's
    const error = await this.settle(scope);
    if (error) throw new EspalierError("BACKEND_RUN_FAILED", `kernel "${label}" is no valid WGSL: ${error.message}`, { code }, { cause: error });
    try {
      return await this.settle(pipeline);
    } catch (cause) {
      this.check();
      throw new EspalierError("BACKEND_RUN_FAILED", `kernel "${label}" could not be compiled for this GPU: ${messageOf(cause)}`, { code }, { cause });
    }
  }

  #layout(bindings: number): GPUBindGroupLayout {
    const known = this.#layouts.get(bindings);
    if (known) return known;
    const layout = this.#device.createBindGroupLayout({
      // 4: the compute stage. @see https://www.w3.org/TR/webgpu/#namespacedef-gpushaderstage
      entries: Array.from({ length: bindings }, (_, binding) => ({ binding, visibility: 4, buffer: { type: "storage" } })),
    });
    this.#layouts.set(bindings, layout);
    return layout;
  }

  #track(buffer: GPUBuffer): GPUBuffer {
    this.#buffers.add(buffer);
    return buffer;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
