import { isSessionError } from '../../errors.js'
import { inBatches } from '../../lib/async/batches.js'
import { chain } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { SessionStore } from '../../store.js'
import { oneEach } from './one-each.js'
import type { StoreCalls } from './store-calls.js'

type Found = SessionRecord | undefined

/**
 * The records of these ids in their order, unchecked, since one that is damaged must not fail the others. A store without
 * `getMany` is asked for one after another, many at a time.
 */
export async function findMany(
  store: SessionStore,
  calls: StoreCalls,
  ids: readonly string[],
): Promise<readonly Found[]> {
  if (store.getMany === undefined) return inBatches(onePage(ids), (id) => findEvenDamaged(store, calls, id))
  return calls.call('getMany', () => chain(store.getMany!(ids), (records) => oneEach(ids, records)))
}

/** As `getMany` does it: a damaged record fails nobody else's lookup. */
async function findEvenDamaged(store: SessionStore, calls: StoreCalls, id: string): Promise<Found> {
  try {
    return await calls.call('get', () => store.get(id))
  } catch (error) {
    if (isSessionError(error) && error.code === 'RECORD_DAMAGED') return { id } as SessionRecord
    throw error
  }
}

async function* onePage<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items
}
