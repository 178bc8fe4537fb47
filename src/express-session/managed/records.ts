import { isDeepStrictEqual } from 'node:util'
import type { GivenSession } from '../../core/beginning.js'
import { keptAddress } from '../../core/client/address.js'
import type { Client } from '../../core/client/client.js'
import { timesAtStart } from '../../core/lifetime.js'
import type { Settings } from '../../core/settings.js'
import { mintedAs } from '../../core/token.js'
import type { KeptUser } from '../../core/user/user.js'
import { asJson, copyJson, type JsonObject } from '../../lib/json/json.js'
import { detached } from '../../lib/text/detached.js'
import type { SessionRecord } from '../../record.js'
import { Cookie, type CookieInput } from '../classes/cookie.js'
import type { StoredData } from '../classes/types.js'
import { merge } from '../merge.js'
import { setOrigin } from '../origin.js'
import type { FoundUser } from '../setup.js'
import { shownOf, textOfData } from '../snapshot.js'
import { tokenOf } from '../token.js'

/** A session as `store.get()` returns it. */
export function storedOf(record: SessionRecord, sid: string, defaults: CookieInput): StoredData {
  const stored: StoredData = { ...copyJson(record.data), cookie: cookieOf(record, defaults) }
  const data = shownOf(record.data)
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
function keptOf(session: StoredData, settings: Settings): Kept {
  const cookie = session.cookie instanceof Cookie ? session.cookie : new Cookie(session.cookie)
  const maxAge = session.cookie?.originalMaxAge
  const originalMaxAge = typeof maxAge === 'number' ? maxAge : cookie.originalMaxAge
  const { expires, ...others } = cookie.data
  const isMoving = typeof originalMaxAge === 'number'
  // With a maxAge the deadline follows from the last use, so it is not kept, and a touch changes nothing here.
  const given = isMoving
    ? { ...others, originalMaxAge }
    : { ...others, originalMaxAge, expires: textOfDate(expires) }
  const idle = isMoving ? Math.max(1, originalMaxAge) : settings.idleTimeout
  return { cookie: withoutUndefined(given), lifetime: { idle } }
}

interface Kept {
  readonly cookie: JsonObject
  readonly lifetime: { readonly idle: number }
}

function textOfDate(expires: unknown): string | undefined {
  return expires instanceof Date ? expires.toJSON() : undefined
}

/** As JSON keeps it. */
function withoutUndefined(object: Record<string, unknown>): JsonObject {
  const kept: Record<string, unknown> = {}
  for (const name in object) if (object[name] !== undefined) kept[name] = object[name]
  return kept as JsonObject
}

/** The same object where nothing has changed: then a store need not look into it. */
function asBefore({ cookie, lifetime }: Kept, current: SessionRecord): Partial<SessionRecord> {
  const isSame = current.cookie !== undefined && isDeepStrictEqual(current.cookie, cookie)
  return {
    cookie: isSame ? current.cookie : cookie,
    lifetime:
      current.lifetime?.idle === lifetime.idle ? current.lifetime : { ...current.lifetime, ...lifetime },
  }
}

/** What a session begins with, under its express-session id. */
export function givenSession(
  sid: string,
  session: StoredData,
  data: JsonObject,
  user: FoundUser | undefined,
  settings: Settings,
): GivenSession {
  return {
    token: tokenOf(sid),
    user: user && keptUser(user, settings),
    data,
    ...keptOf(session, settings),
  }
}

/** The record of a session that was begun elsewhere. */
export function takenOver(given: GivenSession, client: Client, settings: Settings): SessionRecord {
  const { token, user, data, cookie, lifetime } = given
  const { id, secretHash, seriesHash } = mintedAs(token)
  return {
    id,
    version: 1,
    secretHash,
    seriesHash,
    ...user,
    data,
    cookie,
    lifetime,
    userAgent: client.userAgent,
    ip: keptAddress(client.ip, settings.recordAddress),
    ...timesAtStart(Date.now(), user === undefined, settings, lifetime),
  }
}

function keptUser({ id, kept }: FoundUser, { loadUser }: Settings): KeptUser {
  return {
    userId: detached(String(id)),
    userIdType: typeof id === 'number' ? ('number' as const) : undefined,
    // Known once `loadUser` has read the user.
    authVersion: undefined,
    user: loadUser === undefined ? (asJson(kept ?? { id }) as JsonObject) : undefined,
  }
}

/** The change of a record that a request asks for: its own changes, on what is there now. */
export function changeBy(
  session: StoredData,
  mine: JsonObject,
  base: JsonObject | undefined,
  settings: Settings,
) {
  const kept = keptOf(session, settings)
  return (current: SessionRecord): SessionRecord => {
    // Nobody else has written, more often than not.
    const isAsRead =
      base === undefined || base === current.data || textOfData(base) === textOfData(current.data)
    const data = isAsRead ? mine : merge(base, mine, current.data)
    return { ...current, data, ...asBefore(kept, current) }
  }
}
