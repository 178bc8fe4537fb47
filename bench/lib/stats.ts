/** A median with its 95 % interval. */
export interface Interval {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The value below which a share of the values lies. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? Number.NaN
  return low + ((sorted[Math.ceil(at)] ?? Number.NaN) - low) * (at % 1)
}

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5)

/**
 * The median of all measurements with its 95 % interval, by bootstrap. The measurements come in groups, one for each
 * start of the processes. A draw first takes groups and then values of each: values of one process resemble each
 * other, and taking them for independent would make the interval too narrow.
 */
export function withInterval(groups: readonly (readonly number[])[], draws = 1_000): Interval {
  const random = randomNumbers(1)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const medians = Array.from({ length: draws }, () => median(groups.flatMap(() => drawn(pick(groups), pick))))
  return { median: median(groups.flat()), low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}

const drawn = (values: readonly number[], pick: (from: readonly number[]) => number) =>
  values.map(() => pick(values))

/** A random order, a new one each time. */
export function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value)
}

/** Repeatable random numbers (mulberry32): the same measurements always give the same interval. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
