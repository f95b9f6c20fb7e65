/** What graphics a page of the test browser has. */
async function describeGraphics(): Promise<{ secure: boolean; webgpu: string; webgl: boolean }> {
  const adapter = (await navigator.gpu?.requestAdapter()) ?? undefined;
  const kind = adapter === undefined ? "none" : adapter.info.isFallbackAdapter ? "software" : "hardware";
  return { secure: isSecureContext, webgpu: kind, webgl: document.createElement("canvas").getContext("webgl2") !== null };
}

Object.assign(globalThis, { describeGraphics });
