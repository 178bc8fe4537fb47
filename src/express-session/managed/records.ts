import type { Client } from '../../core/client/client.js'
import { assertFits } from '../../core/data-limit.js'
import { timesAtStart } from '../../core/lifetime.js'
import type { Settings } from '../../core/settings.js'
import { hashesOf, splitToken } from '../../core/token.js'
import { asJson, copyJson, throughJson, type JsonObject } from '../../lib/json/json.js'
import { detached } from '../../lib/text/detached.js'
import type { SessionRecord } from '../../record.js'
import { Cookie, type CookieInput } from '../classes/cookie.js'
import type { StoredData } from '../classes/types.js'
import { merge } from '../merge.js'
import { setOrigin } from '../origin.js'
import type { FoundUser } from '../setup.js'
import { dataOf, textOfData } from '../snapshot.js'
import { tokenOf } from '../token.js'

/** A session as `store.get()` returns it. */
export function storedOf(record: SessionRecord, sid: string, defaults: CookieInput): StoredData {
  const stored: StoredData = { ...copyJson(record.data), cookie: cookieOf(record, defaults) }
  const { data } = record
  setOrigin(stored, { sid, text: textOfData(data), data, isStored: true, readAt: 0, record })
  return stored
}

/** The cookie as it is now: its deadline has moved with each touch of the record. */
function cookieOf({ cookie, lastSeenAt }: SessionRecord, defaults: CookieInput): CookieInput {
  // A session that was begun by `sessionOf(req)` has none yet.
  const data = cookie === undefined ? new Cookie(defaults).data : (copyJson(cookie) as unknown as CookieInput)
  const { originalMaxAge } = data
  return typeof originalMaxAge === 'number'
    ? { ...data, expires: new Date(lastSeenAt + originalMaxAge) }
    : data
}

/** What a session keeps beside its data. */
function keptOf(session: StoredData, settings: Settings) {
  const cookie = new Cookie(session.cookie)
  if (typeof session.cookie?.originalMaxAge === 'number')
    cookie.originalMaxAge = session.cookie.originalMaxAge
  const { originalMaxAge } = cookie
  const idle = typeof originalMaxAge === 'number' ? Math.max(1, originalMaxAge) : settings.idleTimeout
  return { cookie: throughJson(cookie) as JsonObject, lifetime: { idle } }
}

/** The record of a session that begins now. */
export function newRecord(
  sid: string,
  session: StoredData,
  user: FoundUser | undefined,
  client: Client,
  settings: Settings,
): SessionRecord {
  const token = tokenOf(sid)
  const data = dataOf(session)
  assertFits(data, {}, settings.maxDataBytes)
  const kept = keptOf(session, settings)
  return {
    id: splitToken(token).id,
    version: 1,
    ...hashesOf(token),
    ...ofUser(user, settings),
    data,
    ...kept,
    userAgent: client.userAgent,
    ip: client.ip,
    ...timesAtStart(Date.now(), user === undefined, settings, kept.lifetime),
  }
}

function ofUser(user: FoundUser | undefined, { loadUser }: Settings) {
  if (user === undefined) return {}
  const { id, kept } = user
  return {
    userId: detached(String(id)),
    userIdType: typeof id === 'number' ? ('number' as const) : undefined,
    user: loadUser === undefined ? (asJson(kept ?? { id }) as JsonObject) : undefined,
  }
}

/** The change of a record that a request asks for: its own changes, on what is there now. */
export function changeBy(session: StoredData, base: JsonObject | undefined, settings: Settings) {
  const mine = dataOf(session)
  const kept = keptOf(session, settings)
  return (current: SessionRecord): SessionRecord => {
    const data = base === undefined ? mine : merge(base, mine, current.data)
    return { ...current, data, ...kept }
  }
}
