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
 * @param pages the items, in pieces of any size. The next piece is asked for when it is needed.
 * @example await inBatches(records.pagesByUser(userId), ({ id }) => store.delete(id))
 */
export async function inBatches<T, U>(
  pages: AsyncIterable<readonly T[]>,
  work: (item: T) => MaybePromise<U>,
): Promise<U[]> {
  const done: U[] = []
  let failure: PromiseRejectedResult | undefined
  for await (const batch of batchesOf(pages)) {
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

/** The same items in pieces of the batch size, so that a short page is no batch that is small enough to fail as a whole. */
async function* batchesOf<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const page of pages) {
    for (const item of page) {
      batch.push(item)
      if (batch.length < BATCH_SIZE) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}
