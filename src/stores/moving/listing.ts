import type { SessionRecord } from '../../record.js'
import type { RecordPage, SessionStore } from '../../store.js'
import { getAll, isOwn, original } from './copied.js'

// `from` is read first: what moves in between is in `to` by then, so nothing is missed. What is in both counts as it is
// in `to`.

/** All records of a user. */
export async function listBoth(
  from: SessionStore,
  to: SessionStore,
  userId: string,
): Promise<SessionRecord[]> {
  const before = (await from.listByUser!(userId)).map(original)
  const moved = (await to.listByUser!(userId)).filter(isOwn)
  const ids = new Set(moved.map(({ id }) => id))
  return [...moved, ...before.filter(({ id }) => !ids.has(id))]
}

/** Which records are asked for. */
export interface PageQuery {
  readonly userId: string
  readonly limit: number
  readonly after: string | undefined
}

/** A page of a user's records: first those in `from`, then those in `to`. `after` begins with the store it is for. */
export async function pageBoth(
  from: SessionStore,
  to: SessionStore,
  { userId, limit, after = 'from:' }: PageQuery,
): Promise<RecordPage> {
  const [store = ''] = after.split(':', 1)
  const cursor = after.slice(store.length + 1) || undefined
  if (store === 'to') return pageOfMoved(to, userId, limit, cursor)

  const page = await from.pageByUser!(userId, limit, cursor)
  const elsewhere = await getAll(
    to,
    page.records.map(({ id }) => id),
  )
  const records = page.records.filter((_, at) => !isOwn(elsewhere[at])).map(original)
  if (page.next !== undefined) return { records, next: `from:${page.next}` }
  if (records.length >= limit) return { records, next: 'to:' }
  const rest = await pageOfMoved(to, userId, limit - records.length, undefined)
  return { records: [...records, ...rest.records], next: rest.next }
}

async function pageOfMoved(
  to: SessionStore,
  userId: string,
  limit: number,
  cursor: string | undefined,
): Promise<RecordPage> {
  const { records, next } = await to.pageByUser!(userId, limit, cursor)
  return { records: records.filter(isOwn), next: next === undefined ? undefined : `to:${next}` }
}
