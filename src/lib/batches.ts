import type { MaybePromise } from '../store.js'

/**
 * Few enough that one user's sessions, however many somebody has made, take no room from other requests:
 * `StoreCalls` refuses everybody once ten thousand calls are unanswered.
 */
const AT_ONCE = 100

/**
 * Does the work for each item, some at a time, and tries all of them before a failure is thrown. Only where a
 * whole step fails it ends there: then the store is away, and each further step would wait for its timeout.
 */
export async function inBatches<T, U>(items: readonly T[], work: (item: T) => MaybePromise<U>): Promise<U[]> {
  const done: U[] = []
  let failure: PromiseRejectedResult | undefined
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const step = items.slice(from, from + AT_ONCE)
    // Async, so that a call that throws at once leaves no rejection of the calls before it unheard.
    const ends = await Promise.allSettled(step.map(async (item) => work(item)))
    const failed = ends.filter((end) => end.status === 'rejected')
    failure ??= failed[0]
    if (failed.length === step.length) break
    for (const end of ends) if (end.status === 'fulfilled') done.push(end.value)
  }
  if (failure !== undefined) throw failure.reason
  return done
}
