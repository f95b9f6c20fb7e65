import { createPredictor, type Bundle, type Predictor } from "../core/index.ts";
import { openNodeBackend } from "./open-backend.ts";

/**
 * Opens a bundle on a backend of Node; the predictor owns it.
 *
 * @param options.backend "auto" or a backend's name
 * @throws what `openNodeBackend` and `createPredictor` throw
 */
export async function openNodePredictor(bundle: Bundle, { backend: name }: { readonly backend: string }): Promise<Predictor> {
  const { backend } = await openNodeBackend(name);
  try {
    const predictor = await createPredictor(bundle, backend);
    return {
      ...predictor,
      async dispose() {
        await predictor.dispose();
        await backend.dispose();
      },
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}
