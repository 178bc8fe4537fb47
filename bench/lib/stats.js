/** The value below which a share of the sorted values lies. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort()
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)]
  return low + (sorted[Math.ceil(at)] - low) * (at % 1)
}

export const median = (values) => quantile(values, 0.5)

/**
 * The median of a few dozen measurements with its 95 % interval, by bootstrap: of so many draws from the
 * measurements themselves, the middle 95 % of medians.
 */
export function withInterval(values, draws = 2_000) {
  const random = generator(1)
  const medians = Array.from({ length: draws }, () =>
    median(Array.from(values, () => values[Math.floor(random() * values.length)])),
  )
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}

/** A fair order, anew each time. */
export function shuffled(values) {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value)
}

/** Repeatable random numbers (mulberry32), so that the same measurements give the same interval. */
export function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
