import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { nested, picturePixels, type PictureStyle } from "../drawing/picture.ts";
import type { ModelCard, Row } from "./served-model.ts";

/** An image column that a picture can be chosen for. */
export interface ChosenImage {
  readonly column: string;
  readonly style: PictureStyle;
}

/** The image of a model whose only input is one in colour; undefined for other models. */
export function chosenImage({ inputs, features }: ModelCard): ChosenImage | undefined {
  const [feature] = features.features;
  if (inputs.length !== 1 || feature?.kind !== "image" || feature.shape[0] !== 3) return undefined;
  const [channels, height, width] = feature.shape;
  return { column: feature.column, style: { channels, height, width, full: 1 / feature.scale } };
}

/** A picture from the person's files is the row that is asked about. It is read here, and goes to the server as numbers. */
export function PictureInput({ image, row }: { readonly image: ChosenImage; readonly row: Signal<Row | undefined> }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const error = useSignal<string | undefined>(undefined);
  const take = async (file: File | undefined): Promise<void> => {
    error.value = undefined;
    row.value = undefined;
    if (file === undefined || canvas.current === null) return;
    try {
      const picture = await createImageBitmap(file);
      row.value = { [image.column]: nested(picturePixels(picture, canvas.current, image.style), image.style) };
      picture.close();
    } catch {
      error.value = `${file.name} is no picture that this browser reads`;
    }
  };
  return (
    <div class="easel">
      <div class="fields">
        <label class="wide">
          <span>Picture</span>
          <input type="file" accept="image/*" onChange={(event) => void take(event.currentTarget.files?.[0])} />
        </label>
        {error.value !== undefined && <p class="wide error">{error.value}</p>}
      </div>
      <div class="seen">
        <figure>
          <canvas
            ref={canvas}
            class="pixels"
            width={image.style.width}
            height={image.style.height}
            role="img"
            aria-label="The picture as the model sees it"
          />
          <figcaption>What the model sees</figcaption>
        </figure>
      </div>
    </div>
  );
}
