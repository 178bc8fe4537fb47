import { chain, isPromise } from '../lib/promises.js'
import type { SessionRecord } from '../record.js'
import type { MaybePromise, UpdateResult } from '../store.js'
import type { ClientPolicy } from './client/client-policy.js'
import type { Client } from './client/client.js'
import { isTouchDue, touched } from './lifetime.js'
import type { LiveRecords } from './records/live-records.js'
import type { Records } from './records/records.js'
import type { Settings } from './settings.js'
import { hashMatches, parseToken, type Token } from './token.js'
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

/** Called exactly once with the verdict: at once where nothing has to be waited for. */
export type Settle = (verdict: Verdict) => void

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
   * Calls `settle` with the verdict on these values of the session cookie. A malformed value causes no call to the
   * store. Nothing is written and nothing is reported before the secret is verified.
   */
  identify(values: readonly string[], source: ClientSource, settle: Settle): void {
    const value = values[0]
    if (value === undefined || values.length > MAX_COOKIE_VALUES) return settle(nobody)
    if (values.length > 1) return this.#identifyAmong(values, source, settle)
    const token = parseToken(value)
    if (token === undefined) return settle(nobody)
    this.records.findFor(token.id, token.secret, (record, hash, failure) => {
      if (failure !== undefined) settle(undecided(failure))
      else if (record === undefined || !hashMatches(hash, record.secretHash)) settle(nobody)
      else deliver(() => this.#judge(record, source), settle)
    })
  }

  #identifyAmong(values: readonly string[], source: ClientSource, settle: Settle): void {
    const tokens = values.map(parseToken).filter((token) => token !== undefined)
    deliver(async () => {
      const found = await Promise.all(tokens.map((token) => this.#verify(token)))
      const live = found.filter((record) => record !== undefined)
      if (live.length === 1) return this.#judge(live[0]!, source)
      // Nobody can know which of them is meant, so none is used. All of them are this browser's to end, though:
      // otherwise a cookie planted beside the real one would outlive every logout.
      return { ...nobody, held: live }
    }, settle)
  }

  /** The live session that the token opens. */
  #verify({ id, secret }: Token): Promise<SessionRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.records.findFor(id, secret, (record, hash, failure) => {
        if (failure !== undefined) reject(failure)
        else if (record === undefined || !hashMatches(hash, record.secretHash)) resolve(undefined)
        else resolve((async () => this.live.ifAlive(record))())
      })
    })
  }

  /** The verdict on a session whose secret was verified. */
  #judge(verified: SessionRecord, source: ClientSource): MaybePromise<Verdict> {
    const alive = this.live.ifAlive(verified)
    if (alive === verified) return this.#admit(verified, source)
    return chain(alive, () => nobody)
  }

  /** What the client may do with a live session. */
  #admit(record: SessionRecord, source: ClientSource): MaybePromise<Verdict> {
    const client = source.client(record)
    if (this.clients.refuses(record, client)) return { ...nobody, held: [record] }
    if (!isTouchDue(record, Date.now(), this.settings)) return this.#withUser(record)
    return chain(this.#touch(record, client), (current) =>
      current ? this.#withUser(current) : { ...nobody, hasEnded: true },
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

/** Calls `settle` with what `judge` returns or fails with. What `settle` throws is the application's: never caught here. */
function deliver(judge: () => MaybePromise<Verdict>, settle: Settle): void {
  let verdict: MaybePromise<Verdict>
  try {
    verdict = judge()
  } catch (error) {
    verdict = undecided(error)
  }
  if (!isPromise(verdict)) return settle(verdict)
  // In a microtask of its own: what a route handler throws is no rejection of the lookup.
  verdict.then(
    (found) => queueMicrotask(() => settle(found)),
    (error: unknown) => queueMicrotask(() => settle(undecided(error))),
  )
}
