/** The largest finite number that a float32 holds. */
export const maxFloat32 = 3.4028234663852886e38;
