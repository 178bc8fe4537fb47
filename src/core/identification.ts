import { chain, isPromise } from '../lib/promises.js'
import type { SessionRecord } from '../record.js'
import type { MaybePromise, UpdateResult } from '../store.js'
import type { ClientPolicy } from './client/client-policy.js'
import type { Client } from './client/client.js'
import { isTouchDue, touched } from './lifetime.js'
import type { LiveRecords } from './records/live-records.js'
import type { Records } from './records/records.js'
import type { Settings } from './settings.js'
import { parseToken, secretMatches, type Token } from './token.js'
import { userOf } from './user.js'

/** What is known of a request once its cookies have been looked up. The HTTP side acts on this and on nothing else. */
export interface Verdict {
  /** The one live session that this client may use. */
  readonly record: SessionRecord | undefined
  /** Whose session it is, as the application knows them. */
  readonly user: unknown
  /**
   * All live sessions whose secrets the cookies hold, also one that this client was refused: what a login or a
   * logout of this browser ends.
   */
  readonly held: readonly SessionRecord[]
  /** Whether the session was there, and ended while it was looked at. */
  readonly hasEnded: boolean
  /** Why the session could not be looked up: the store or `loadUser` failed. Then nothing else is known. */
  readonly failure: unknown
}

/** Who makes a request. It is asked only when a session has been found, and only once. */
export interface ClientSource {
  /** @param known the client on record, to be returned itself where nothing differs from it. */
  client(known: Client): Client
}

/** The verdict on a request without a session. */
export const nobody: Verdict = {
  record: undefined,
  user: undefined,
  held: [],
  hasEnded: false,
  failure: undefined,
}

/** The verdict where the lookup failed. */
export function undecided(failure: unknown): Verdict {
  return { ...nobody, failure }
}

/** How many cookies of our name are looked up. One name may come with several paths and domains. */
export const MAX_COOKIE_VALUES = 4

/** Finds out whose request it is: cookie values → token → record → secret → deadline → client → touch → user. */
export class Identification {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly clients: ClientPolicy,
    private readonly settings: Settings,
  ) {}

  /**
   * The verdict on these values of the session cookie. A malformed value causes no call to the store. Nothing is
   * written and nothing is reported before the secret is verified.
   */
  of(values: readonly string[], source: ClientSource): MaybePromise<Verdict> {
    const value = values[0]
    if (value === undefined || values.length > MAX_COOKIE_VALUES) return nobody
    if (values.length > 1) return this.#ofSeveral(values, source)
    const token = parseToken(value)
    if (token === undefined) return nobody
    return chain(this.#verify(token), (record) => (record ? this.#admit(record, source) : nobody))
  }

  async #ofSeveral(values: readonly string[], source: ClientSource): Promise<Verdict> {
    const tokens = values.map(parseToken).filter((token) => token !== undefined)
    const found = await Promise.all(tokens.map(async (token) => this.#verify(token)))
    const live = found.filter((record) => record !== undefined)
    if (live.length === 1) return this.#admit(live[0]!, source)
    // Nobody can know which of them is meant, so none is used. All of them are this browser's to end, though:
    // otherwise a cookie planted beside the real one would outlive every logout.
    return { ...nobody, held: live }
  }

  /** The live session that the token opens. */
  #verify({ id, secret }: Token): MaybePromise<SessionRecord | undefined> {
    return chain(this.records.find(id), (record) => {
      if (record === undefined || !secretMatches(secret, record.secretHash)) return undefined
      return this.live.ifAlive(record)
    })
  }

  /** What the client may do with a verified session. */
  #admit(verified: SessionRecord, source: ClientSource): MaybePromise<Verdict> {
    const client = source.client(verified)
    if (this.clients.refuses(verified, client)) return { ...nobody, held: [verified] }
    if (!isTouchDue(verified, Date.now(), this.settings)) return this.#withUser(verified)
    return chain(this.#touch(verified, client), (record) =>
      record ? this.#withUser(record) : { ...nobody, hasEnded: true },
    )
  }

  /** Moves the idle deadline. A failure is only an event: the session was found, so the request goes on. */
  #touch(record: SessionRecord, client: Client): MaybePromise<SessionRecord | undefined> {
    const next = { ...touched(record, Date.now(), client, this.settings), version: record.version + 1 }
    const settle = (result: UpdateResult) => {
      if (result === 'ok') return next
      // Absent: logged out since it was read. Conflict: another request wrote, and moved the deadline by that.
      return result === 'absent' ? undefined : record
    }
    let result: MaybePromise<UpdateResult>
    try {
      result = this.records.update(next, record.version)
    } catch {
      return record
    }
    return isPromise(result) ? result.then(settle, () => record) : settle(result)
  }

  #withUser(record: SessionRecord): MaybePromise<Verdict> {
    return chain(userOf(record, this.settings), (user) => ({
      record,
      user,
      held: [record],
      hasEnded: false,
      failure: undefined,
    }))
  }
}
