import type { MaybePromise } from './promises.js'

/**
 * So small that one user with very many sessions does not block other requests: `StoreCalls` refuses everybody
 * once ten thousand calls are open.
 */
const BATCH_SIZE = 100

/**
 * Does the work for each item, a batch at a time, and tries all of them before it throws the first failure. It stops
 * early only when a whole batch fails: then the store is away, and each further batch would wait for its timeout.
 *
 * @example await inBatches(sessionIds, (id) => store.delete(id))
 */
export async function inBatches<T, U>(items: readonly T[], work: (item: T) => MaybePromise<U>): Promise<U[]> {
  const done: U[] = []
  let failure: PromiseRejectedResult | undefined
  for (let from = 0; from < items.length; from += BATCH_SIZE) {
    const batch = items.slice(from, from + BATCH_SIZE)
    // Async, so that a call that throws at once leaves no unhandled rejection of the calls before it.
    const results = await Promise.allSettled(batch.map(async (item) => work(item)))
    const failed = results.filter((result) => result.status === 'rejected')
    failure ??= failed[0]
    if (failed.length === batch.length) break
    for (const result of results) if (result.status === 'fulfilled') done.push(result.value)
  }
  if (failure !== undefined) throw failure.reason
  return done
}
