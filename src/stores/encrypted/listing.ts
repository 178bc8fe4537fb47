import { chain, isPromise, type MaybePromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { RecordPage, SessionStore } from '../../store.js'
import type { KeyRing, RingKey } from './keys.js'

type Open = (records: SessionRecord[]) => SessionRecord[]

/**
 * All sessions of a user: those that began under each key of the ring.
 *
 * @param open opens the records of the inner store, and leaves out those of other users.
 */
export function listAll(
  store: SessionStore,
  ring: KeyRing,
  userId: string,
  open: Open,
): MaybePromise<SessionRecord[]> {
  const lists = ring.keys.map((key) => store.listByUser!(key.ofUser(userId)))
  if (lists.some(isPromise))
    return Promise.all(lists.map(async (list) => list)).then((all) => open(all.flat()))
  return open((lists as SessionRecord[][]).flat())
}

/** The same a page at a time: the pages of the first key, then those of the next. `after` says of which key. */
export function listPage(
  store: SessionStore,
  ring: KeyRing,
  asked: { readonly userId: string; readonly limit: number; readonly after: string | undefined },
  open: Open,
): MaybePromise<RecordPage> {
  const { keyId, innerAfter } = place(asked.after)
  const key = keyId === undefined ? ring.first : ring.find(keyId)
  // The key was taken out of the ring meanwhile.
  if (key === undefined) return { records: [], next: undefined }
  const page = store.pageByUser!(key.ofUser(asked.userId), asked.limit, innerAfter)
  return chain(page, ({ records, next }) => {
    const following = next === undefined ? afterKey(ring, key) : `${key.id}.${next}`
    const opened = open(records)
    const isVain = opened.length === 0 && following !== undefined
    return isVain
      ? listPage(store, ring, { ...asked, after: following }, open)
      : { records: opened, next: following }
  })
}

/** Where the pages of the next key begin. */
function afterKey(ring: KeyRing, key: RingKey): string | undefined {
  const next = ring.keys[ring.keys.indexOf(key) + 1]
  return next && `${next.id}.`
}

function place(after: string | undefined): { keyId?: string; innerAfter?: string } {
  const [, keyId, innerAfter] = /^([^.]+)\.(.*)$/s.exec(after ?? '') ?? []
  if (keyId === undefined) return {}
  return innerAfter === '' || innerAfter === undefined ? { keyId } : { keyId, innerAfter }
}
