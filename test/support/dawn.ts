import { constants } from "node:os";
import { join } from "node:path";
import { openDawn, type DawnOptions } from "../../backends/webgpu/dawn.ts";
import type { WebGpuBackend } from "../../backends/webgpu/index.ts";
import { unpackChromium } from "./chromium.ts";

// glibc's flag against unloading, which Node does not list. @see https://man7.org/linux/man-pages/man3/dlopen.3.html
const keepLoaded = 0x1000;

/**
 * WebGPU in plain Node on a machine without GPU and without Vulkan: Dawn over the software renderer that comes with `@sparticuz/chromium`.
 *
 * Dawn looks for `libvulkan.so.1` by name, and the loader reads the renderer's description from the environment. A library of that name that
 * is already in the process is taken, so the loader is brought in here by its full path; no environment has to be set before the start.
 * Works in a process' main thread only: elsewhere `process.env` is a copy that C code does not see.
 */
export async function provideVulkan(): Promise<void> {
  if (process.platform !== "linux") return;
  const folder = await unpackChromium();
  const renderer = join(folder, "vk_swiftshader_icd.json");
  const chosen = (process.env["VK_ICD_FILENAMES"] ??= renderer);
  if (chosen !== renderer) return; // the machine's owner has chosen another one
  try {
    // It is no addon, so that Node complains and lets go of it; the flag keeps it.
    process.dlopen({ exports: {} }, join(folder, "libvulkan.so.1"), constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | keepLoaded);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("did not self-register")) throw error;
  }
}

/** The engine over Dawn on the software renderer. */
export async function openSoftwareDawn(options: DawnOptions = {}): Promise<WebGpuBackend> {
  await provideVulkan();
  return await openDawn(options);
}
