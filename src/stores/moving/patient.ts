import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '../../store.js'

/** So long a store may be away, or busy with others, before a copy gives up: about a quarter of a minute. */
const PAUSES_MS = [50, 100, 200, 500, 1_000, 2_000, 4_000, 8_000]

/**
 * The store, asked again where it fails. Only for a copy, which nobody waits for: each of its calls may be made twice. An
 * insert that was done finds its id taken, an update that was done is a conflict, and both are looked at again.
 */
export function patient(store: SessionStore): SessionStore {
  const retry = async <T>(ask: () => T | Promise<T>): Promise<T> => {
    for (const ms of PAUSES_MS) {
      try {
        return await ask()
      } catch {
        await pause(ms)
      }
    }
    return ask()
  }
  return {
    get: (id) => retry(() => store.get(id)),
    // Where it fails since the id is taken, asking again would be in vain.
    insert: (record) => store.insert(record),
    update: (record, ifVersion) => retry(() => store.update(record, ifVersion)),
    delete: (id) => retry(() => store.delete(id)),
    ...(store.getFresh && { getFresh: (id: string) => retry(() => store.getFresh!(id)) }),
    ...(store.getMany && { getMany: (ids: readonly string[]) => retry(() => store.getMany!(ids)) }),
    ...(store.scan && { scan: (limit: number, after?: string) => retry(() => store.scan!(limit, after)) }),
  }
}
