/** Autocorrelation that a period must rise by, above the lowest lag before it. */
const leastRise = 0.2;

/**
 * The period after which a series repeats itself: the lag of the highest peak of its autocorrelation, without its straight trend.
 *
 * @param values in the order of time
 * @returns 1 when nothing repeats
 * @see G. E. P. Box, G. M. Jenkins, Time Series Analysis (1970), on the autocorrelation function
 */
export function findSeason(values: ArrayLike<number>): number {
  const detrended = withoutTrend(values);
  const count = detrended.length;
  const longest = Math.min(400, Math.floor(count / 3));
  const power = detrended.reduce((sum, value) => sum + value * value, 0);
  if (power === 0) return 1;
  const correlations = Array.from({ length: longest + 2 }, (_, lag) => {
    let sum = 0;
    for (let i = lag; i < count; i++) sum += detrended[i]! * detrended[i - lag]!; // inside the series
    return sum / power;
  });
  let best = { lag: 1, correlation: 0 };
  let lowest = 1;
  for (let lag = 1; lag <= longest; lag++) {
    const correlation = correlations[lag]!; // lags are counted
    const peak = correlation > correlations[lag - 1]! && correlation >= correlations[lag + 1]!; // there is one more
    if (peak && correlation - lowest > leastRise && correlation > best.correlation) best = { lag, correlation };
    lowest = Math.min(lowest, correlation);
  }
  return best.lag;
}

/** What is left of the values beside the straight line that fits them best. */
function withoutTrend(values: ArrayLike<number>): Float64Array {
  const count = values.length;
  const middle = (count - 1) / 2;
  let [mean, slope, spread] = [0, 0, 0];
  for (let i = 0; i < count; i++) mean += values[i]! / count; // i counts values
  for (let i = 0; i < count; i++) {
    slope += (i - middle) * (values[i]! - mean); // as above
    spread += (i - middle) ** 2;
  }
  return Float64Array.from({ length: count }, (_, i) => values[i]! - mean - (spread === 0 ? 0 : (slope / spread) * (i - middle))); // as above
}
