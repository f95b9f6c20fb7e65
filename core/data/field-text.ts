/** A field's bytes as text without checking them: for comparing and for messages. */
export function fieldText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 16) {
    // Short ASCII, which most fields are, without the decoder's call.
    let text = "";
    let at = start;
    for (; at < end && bytes[at]! < 128; at++) text += String.fromCharCode(bytes[at]!); // inside the field
    if (at === end) return text;
  }
  return new TextDecoder().decode(bytes.subarray(start, end));
}
