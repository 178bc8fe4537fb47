import { chain, isPromise } from '../lib/async/promises.js'
import { queueMicrotask } from '../lib/async/timers.js'
import { warnOnce } from '../lib/warn-once.js'
import type { SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import type { ActingSessions } from './acting/acting-sessions.js'
import type { Client } from './client/client.js'
import type { ClientPolicy } from './client/client-policy.js'
import type { DeviceBinding } from './binding/device-binding.js'
import type { LiveRecords } from './records/live-records.js'
import type { Records } from './records/records.js'
import type { Renewal } from './rotation/renewal.js'
import type { Reuse } from './rotation/reuse.js'
import { standingOf, type Standing } from './rotation/rotation.js'
import type { Settings } from './settings.js'
import { hashMatches, provesSeries, splitToken, type Token, type TokenText } from './token.js'
import type { AuthVersions } from './user/auth-versions.js'
import { isWithoutUser, userOf } from './user/user.js'
import {
  endedMeanwhile,
  expired,
  markedEnded,
  misplaced,
  nobody,
  notFound,
  undecided,
  wrongSecret,
  type ClientSource,
  type Settle,
  type Verdict,
} from './verdict.js'

/** How many cookies of our name are looked up. One name may come with several paths and domains. */
export const MAX_COOKIE_VALUES = 4

/** A session that a token was once issued for. */
interface Verified {
  readonly token: Token
  readonly hash: string
  readonly record: SessionRecord
  readonly standing: Standing
}

/** Finds out whose request it is: cookie values → token → record → secret → deadline → client → device → renewal → user. */
export class Identification {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly clients: ClientPolicy,
    private readonly renewal: Renewal,
    private readonly reuse: Reuse,
    private readonly settings: Settings,
    private readonly binding: DeviceBinding | undefined,
    private readonly versions: AuthVersions | undefined,
    private readonly acting: ActingSessions,
  ) {}

  /**
   * Calls `settle` with the verdict on these values of the session cookie. Only values with the shape of a token come
   * here, so a malformed one causes no call to the store. Nothing is written and nothing is reported before the secret
   * is verified.
   */
  identify(values: readonly TokenText[], source: ClientSource, settle: Settle): void {
    const value = values[0]
    if (value === undefined || values.length > MAX_COOKIE_VALUES) return settle(nobody)
    if (values.length > 1) return deliver(() => this.#amongSeveral(values, source), settle)
    const token = splitToken(value)
    this.records.findFor(token.id, token.secret, (record, hash, failure) => {
      if (failure !== undefined) return settle(undecided(failure))
      const verified = record && verify(token, hash, record)
      if (verified === undefined) settle(record === undefined ? notFound : wrongSecret)
      else if (isMisplaced(verified.record, source)) settle(misplaced)
      else deliver(() => this.#judge(verified, source), settle)
    })
  }

  async #amongSeveral(values: readonly TokenText[], source: ClientSource): Promise<Verdict> {
    const found = await Promise.all(values.map((value) => this.#find(splitToken(value), source)))
    const verified = found.filter((one) => 'standing' in one)
    const good = new Map<string, Verified>()
    for (const one of verified.filter(isGood)) {
      // One session may come with several of its secrets, under several paths or domains: the newest one counts.
      const known = good.get(one.record.id)
      if (known === undefined || isNewer(one.standing, known.standing)) good.set(one.record.id, one)
    }
    const [only = verified[0], another] = good.values()
    if (only === undefined) return mostTelling(found as Verdict[])
    if (another === undefined) return this.#judge(only, source)
    // Nobody can know which of them is meant, so none is used. All of them are this browser's to end, though:
    // otherwise a cookie planted beside the real one would outlive every logout.
    const held = [...good.values()].map(({ record }) => record)
    return { ...notFound, held, reason: 'severalSessions' }
  }

  /** The session that a token was issued for, or the verdict where there is none any more. */
  #find(token: Token, source: ClientSource): Promise<Verified | Verdict> {
    return new Promise((resolve, reject) => {
      this.records.findFor(token.id, token.secret, (record, hash, failure) => {
        if (failure !== undefined) return reject(failure)
        const verified = record && verify(token, hash, record)
        if (verified === undefined) return resolve(record === undefined ? notFound : wrongSecret)
        if (isMisplaced(verified.record, source)) return resolve(misplaced)
        const ended = whyGone(verified.record)
        resolve((async () => ((await this.#ifAlive(verified.record, source)) ? verified : ended))())
      })
    })
  }

  /** The verdict on a session whose secret was verified. */
  #judge(verified: Verified, source: ClientSource): MaybePromise<Verdict> {
    const alive = this.#ifAlive(verified.record, source)
    if (alive === verified.record) return this.#judgeAlive(verified, source)
    return chain(alive, (found) =>
      found === undefined ? whyGone(verified.record) : this.#judgeAlive(verified, source),
    )
  }

  #judgeAlive(verified: Verified, source: ClientSource): MaybePromise<Verdict> {
    return verified.standing === 'superseded'
      ? this.#challenge(verified, source)
      : this.#admit(verified, source)
  }

  /** The verdict on a superseded secret: a theft, or a record that was too old to tell. */
  async #challenge({ token, hash, record }: Verified, source: ClientSource): Promise<Verdict> {
    const standingIn = (current: SessionRecord) => verify(token, hash, current)?.standing
    const concluded = await this.reuse.conclude(record, source.client(record), standingIn)
    // It has ended meanwhile, or the secret was made up by somebody who knows the series.
    if (concluded === undefined) return record.rotatedAt === undefined ? wrongSecret : markedEnded
    if (concluded instanceof Error) return { ...notFound, barred: concluded, reason: 'superseded' }
    return this.#admit({ token, hash, record: concluded, standing: standingIn(concluded)! }, source)
  }

  /** The record, unless its session has ended. What the end of a stolen one still lacks is done here. */
  #ifAlive(record: SessionRecord, source: ClientSource): MaybePromise<SessionRecord | undefined> {
    if (record.endedBy !== 'reuse') return this.live.ifAlive(record)
    return this.reuse.finish(record, source.client(record)).then(() => undefined)
  }

  /** What the client may do with a live session. */
  #admit(verified: Verified, source: ClientSource): MaybePromise<Verdict> {
    const { record } = verified
    const client = source.client(record)
    const differs = this.clients.refusalOf(record, client)
    if (differs !== undefined) {
      return { ...notFound, held: [record], reason: differs === 'network' ? 'otherNetwork' : 'otherEngine' }
    }
    if (this.binding === undefined || record.binding?.state !== 'bound') {
      return this.#renew(verified, client, source)
    }
    const signs = source.deviceSigns?.(record.id)
    return chain(this.binding.admit(record, client, signs), (allowed) => {
      if (allowed instanceof Error) return { ...notFound, held: [record], barred: allowed, reason: 'stale' }
      return allowed === record
        ? this.#renew(verified, client, source)
        : this.#judgeAgain(verified, allowed, source)
    })
  }

  /** The verdict on a newer record, in which the same secret may have another standing. */
  #judgeAgain({ token, hash }: Verified, record: SessionRecord, source: ClientSource): MaybePromise<Verdict> {
    const verified = verify(token, hash, record)
    return verified === undefined ? wrongSecret : this.#judge(verified, source)
  }

  /** Writes what the use of a session changes of it. */
  #renew({ token, record, standing }: Verified, client: Client, source: ClientSource): MaybePromise<Verdict> {
    if (!this.renewal.isDue(record, standing, Date.now())) return this.#withUser(record, undefined, client)
    const touchLater =
      source.touchLater &&
      ((touch: () => unknown) => source.touchLater!(this.acting.touchingBoth(record, client, touch)))
    const use = { token, standing, client, takesToken: () => source.takesToken(), touchLater }
    return chain(this.renewal.renew(record, use), (renewed) =>
      renewed.record ? this.#withUser(renewed.record, renewed.token, client) : endedMeanwhile,
    )
  }

  #withUser(record: SessionRecord, token: string | undefined, client: Client): MaybePromise<Verdict> {
    if (isWithoutUser(record, this.settings)) return leftOver(record)
    if (record.actor !== undefined) return this.#withActor(record, token, client)
    const user = userOf(record, this.settings)
    return isPromise(user)
      ? user.then((loaded) => this.#withLoaded(record, loaded, token, client))
      : admitted(record, user, token)
  }

  async #withActor(record: SessionRecord, token: string | undefined, client: Client): Promise<Verdict> {
    const actor = await this.acting.actorOf(record, client)
    if (actor === undefined) return { ...notFound, held: [record], reason: 'userNotFound' }
    const verdict = await this.#withLoaded(record, await userOf(record, this.settings), token, client)
    return { ...verdict, actor }
  }

  #withLoaded(
    record: SessionRecord,
    user: unknown,
    token: string | undefined,
    client: Client,
  ): MaybePromise<Verdict> {
    if (this.versions === undefined || user === undefined) return admitted(record, user, token)
    return chain(this.versions.admit(record, user, client), (current) =>
      current === undefined ? endedMeanwhile : admitted(current, user, token),
    )
  }
}

function admitted(record: SessionRecord, user: unknown, token: string | undefined): Verdict {
  return {
    record,
    user,
    held: [record],
    hasEnded: false,
    wasLookedUp: true,
    token,
    barred: undefined,
    reason: undefined,
    failure: undefined,
  }
}

/** The browser's next login or logout ends it. Until then it can be used again, should the option come back. */
function leftOver(record: SessionRecord): Verdict {
  warnOnce(
    'SID_NO_USER',
    'A session that was started with the option loadUser keeps no user, and now there is no loadUser: it is taken as ' +
      'ended. Set loadUser again, or end these sessions: those who have one must log in again.',
  )
  return { ...notFound, held: [record], hasEnded: true, reason: 'userNotKept' }
}

/** The verdict on a session that is no longer alive. */
function whyGone({ endedBy, actor }: SessionRecord): Verdict {
  return endedBy === undefined && actor === undefined ? expired : markedEnded
}

/** Of several cookies that open nothing, the one that says more than that its session is not there. */
function mostTelling(verdicts: readonly Verdict[]): Verdict {
  return verdicts.find(({ reason }) => reason !== 'unknown') ?? notFound
}

/** Compares a token with the record of its id; `undefined` where it was never issued for that session. */
function verify(token: Token, hash: string, record: SessionRecord): Verified | undefined {
  // Nearly every secret is the current one, so that is looked at without a closure.
  const standing: Standing = hashMatches(hash, record.secretHash)
    ? 'current'
    : standingOf(
        record,
        Date.now(),
        (stored) => hashMatches(hash, stored),
        () => provesSeries(token.secret, record.seriesHash),
      )
  return standing === 'unknown' ? undefined : { token, hash, record, standing }
}

/** Whether a token came in the place where it opens nothing. It does not even show there that its session is live. */
function isMisplaced({ via }: SessionRecord, source: ClientSource): boolean {
  // A place that a newer version of this package knows is another one, too.
  return (via ?? 'cookie') !== (source.via ?? 'cookie')
}

function isGood({ standing }: Verified): boolean {
  return standing !== 'superseded'
}

/** Whether a secret was issued after another one of its session. Both are good ones. */
function isNewer(one: Standing, other: Standing): boolean {
  return one === 'next' || (one === 'current' && other === 'prior')
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
