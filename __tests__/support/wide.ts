// The default run shows each rule on one or a few of many similar parts, so that it stays short. SID_WIDE=1, as in .ci/run,
// shows it on all of them. Files named *.wide.test.ts are of the wide run as a whole.

/** A long run is wide as well. */
export const isWide = process.env.SID_WIDE === '1' || process.env.SID_LONG === '1'

/** Of many similar parts those that this run takes: all of them, or a few. */
export function widely<T>(all: readonly T[], isOfTheFew: (one: T) => boolean): T[] {
  return all.filter((one) => isWide || isOfTheFew(one))
}

/** Tests of the wide run alone. */
export const wide = {
  test(...given: Parameters<jest.It>): void {
    if (isWide) test(...given)
  },
  describe(...given: Parameters<jest.Describe>): void {
    if (isWide) describe(...given)
  },
}
