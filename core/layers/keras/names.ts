/** An argument's name as Keras writes it: "kernelSize" is "kernel_size". */
export function toSnake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The reverse: "kernel_size" is "kernelSize". */
export function toCamel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A class's name: "glorotUniform" is "GlorotUniform". */
export function toPascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The reverse: "GlorotUniform" is "glorotUniform". */
export function fromPascal(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
