import type { IncomingMessage } from 'node:http'
import { chain, isPromise } from '../lib/promises.js'
import { parseToken } from '../core/token.js'
import type { SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import type { Sessions } from './create-sessions.js'
import { clientOf } from './request/client-of.js'

/** Whose request it is, as its cookies say. */
export interface Identity {
  /** The one live session, if this client may use it. */
  readonly record: SessionRecord | undefined
  readonly user: unknown
  /**
   * All live sessions whose secrets the cookies hold, that of a refused client too: what a login or a logout of
   * this browser ends.
   */
  readonly held: readonly SessionRecord[]
  /** Whether the session was there, and ended while it was looked at. */
  readonly hasEnded: boolean
}

const nobody: Identity = { record: undefined, user: undefined, held: [], hasEnded: false }

/** Cookies of one name multiply by domain and path, in good faith and in bad. So many are looked at. */
const MAX_VALUES = 4

/** Looks up the values of our cookie. Malformed ones cost no call; more than one live session is nobody's. */
export function identify(
  sessions: Sessions,
  req: IncomingMessage,
  values: readonly string[],
): MaybePromise<Identity> {
  const [value, another] = values
  if (value === undefined || values.length > MAX_VALUES) return nobody
  if (another !== undefined) return identifyAmong(sessions, req, values)
  const token = parseToken(value)
  if (token === undefined) return nobody
  return chain(sessions.verify(token), (record) => admit(sessions, req, record))
}

async function identifyAmong(
  sessions: Sessions,
  req: IncomingMessage,
  values: readonly string[],
): Promise<Identity> {
  const tokens = values.map(parseToken).filter((token) => token !== undefined)
  const found = await Promise.all(tokens.map(async (token) => sessions.verify(token)))
  const live = found.filter((record) => record !== undefined)
  if (live.length === 1) return admit(sessions, req, live[0])
  // Which of them is meant can't be known, so none is used. All are this browser's to end, though:
  // otherwise a cookie planted beside the real one would outlive every logout.
  return { ...nobody, held: live }
}

function admit(
  sessions: Sessions,
  req: IncomingMessage,
  verified: SessionRecord | undefined,
): MaybePromise<Identity> {
  if (verified === undefined) return nobody
  return chain(sessions.admit(verified, clientOf(req, verified)), (record) => {
    if (record === undefined) return { ...nobody, hasEnded: true }
    if (record === 'refused') return { ...nobody, held: [verified] }
    const user = sessions.userOf(record)
    if (!isPromise(user)) return { record, user, held: [record], hasEnded: false }
    return user.then((loaded) => ({ record, user: loaded, held: [record], hasEnded: false }))
  })
}
