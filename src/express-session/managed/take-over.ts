import { randomUUID } from 'node:crypto'
import type { OldDoor } from '../../core/adoption/old-doors.js'
import type { Client } from '../../core/client/client.js'
import type { Engine } from '../../core/engine.js'
import { timesAtStart } from '../../core/lifetime.js'
import { mint, splitToken } from '../../core/token.js'
import { pause } from '../../lib/async/timers.js'
import { isObject } from '../../lib/json/is-object.js'
import type { SessionRecord } from '../../record.js'
import { absentIfNoEntry, ask, type ExpressSessionStore } from '../../stores/adapted/calls.js'
import type { StoredData } from '../classes/types.js'
import { inTime } from '../keeping/deadline.js'
import type { FoundUser } from '../setup.js'
import { dataOf } from '../snapshot.js'
import { tokenOf } from '../token.js'
import { givenSession, takenOver } from './records.js'

/** How long it is remembered that a session was taken over: longer than a copy of it can live in the old store. */
const REMEMBERED_MS = 30 * 86_400_000
/** A claim this old, which nobody has fulfilled, is that of a process that has crashed. */
const LEASE_MS = 10_000
const LOOKS = 50
const LOOK_EVERY_MS = 20

interface Claim {
  readonly record: SessionRecord
  readonly isMine: boolean
}

/**
 * Takes sessions over from a store of express-session, one by one, when they are used: under the same id, so that the
 * cookie stays. Each is taken once. A mark in the new store says so before the session begins there, and stays: a slow
 * request that still holds what it read in the old store finds the mark, and brings nothing back after a logout.
 */
export class TakeOver implements OldDoor {
  constructor(
    private readonly engine: Engine,
    private readonly old: ExpressSessionStore,
    private readonly userOf: (data: Record<string, unknown>) => FoundUser | undefined,
  ) {
    // Without a listener Node ends the process. Each call reports its own failure.
    old.on?.('error', () => undefined)
    engine.oldDoors.push(this)
  }

  /** All sessions of this user are being ended: those that are still in the old store are not taken over any more. */
  async closeFor(userId: string): Promise<void> {
    const { marks } = this.engine
    const until = Date.now() + REMEMBERED_MS
    const by = randomUUID()
    if ((await marks.put('takeOverClosed', [userId], { by }, until)) !== undefined) return
    const mark = await marks.find('takeOverClosed', [userId])
    if (mark !== undefined) await marks.change(mark, (data) => ({ ...data, by }), until)
  }

  /** The record of a session that was in the old store; `undefined` where there is none, or it has ended since. */
  async take(sid: string, client: Client): Promise<SessionRecord | undefined> {
    if ((await this.#read(sid)) === undefined) return undefined
    const claim = await this.#claim(sid)
    if (!claim.isMine) return this.#whoeverTakesIt(sid)
    // Again, since it may have ended before the mark was there.
    const found = await this.#read(sid)
    if (found === undefined) return undefined
    if (!(await this.#fulfil(claim))) return undefined
    const { settings, records } = this.engine
    const given = givenSession(sid, found, dataOf(found), this.userOf(found), settings)
    const record = takenOver(given, client, settings)
    let isClosed = await this.#isClosedFor(record)
    if (!isClosed) {
      await records.insert(record)
      // Again, now that it is stored: whoever ends all sessions of its user either sees this one, or is seen here.
      isClosed = await this.#isClosedFor(record)
      if (isClosed) await records.delete(record.id)
    }
    await this.#destroy(sid)
    return isClosed ? undefined : record
  }

  async #isClosedFor({ userId }: SessionRecord): Promise<boolean> {
    return userId !== undefined && (await this.engine.marks.find('takeOverClosed', [userId])) !== undefined
  }

  /** Ends a session in the old store, and what a request that is taking it over makes of it. */
  async forget(sid: string): Promise<void> {
    if ((await this.#read(sid)) === undefined) return
    const claim = await this.#claim(sid)
    if (claim.isMine) await this.#fulfil(claim)
    else await this.#whoeverTakesIt(sid)
    await this.#destroy(sid)
  }

  /** The right to take a session over: one request gets it, once. */
  async #claim(sid: string): Promise<Claim> {
    const { records, live } = this.engine
    const by = randomUUID()
    const mark = this.#markOf(sid, by)
    const known = await records.findFresh(mark.id)
    if (known === undefined) {
      try {
        await records.insert(mark)
        return { record: mark, isMine: true }
      } catch (error) {
        const winner = await records.findFresh(mark.id)
        if (winner === undefined) throw error
        return { record: winner, isMine: false }
      }
    }
    if (known.data.isDone === true || Date.now() - known.lastSeenAt < LEASE_MS)
      return { record: known, isMine: false }
    const taken = await live.change(known, (current) =>
      current.data.by === known.data.by && current.data.isDone !== true
        ? { ...current, data: { ...current.data, by }, lastSeenAt: Date.now() }
        : current,
    )
    return { record: taken ?? known, isMine: taken?.data.by === by }
  }

  /** From here on nobody else takes the session over. False where the claim was lost. */
  async #fulfil({ record }: Claim): Promise<boolean> {
    const { by } = record.data
    const done = await this.engine.live.change(record, (current) =>
      current.data.by === by ? { ...current, data: { ...current.data, isDone: true } } : current,
    )
    return done?.data.by === by
  }

  /** Another request, maybe of another process, is taking the session over, or has done so. */
  async #whoeverTakesIt(sid: string): Promise<SessionRecord | undefined> {
    const { id } = splitToken(tokenOf(sid))
    for (let look = 0; look < LOOKS; look += 1) {
      const record = await this.engine.records.findFresh(id)
      if (record !== undefined) return record
      await pause(LOOK_EVERY_MS)
    }
    return undefined
  }

  #markOf(sid: string, by: string): SessionRecord {
    const lifetime = { idle: REMEMBERED_MS, absolute: REMEMBERED_MS }
    // Of a token that nobody has.
    const { secretHash, seriesHash } = mint()
    return {
      id: splitToken(tokenOf(`taken over ${sid}`)).id,
      version: 1,
      secretHash,
      seriesHash,
      data: { by, isDone: false },
      lifetime,
      userAgent: '',
      ip: '',
      ...timesAtStart(Date.now(), true, this.engine.settings, lifetime),
    }
  }

  async #read(sid: string): Promise<StoredData | undefined> {
    const found = await this.#inTime(ask(this.old, 'get', sid).catch(absentIfNoEntry), 'get')
    return isObject(found) ? { ...found, cookie: found.cookie ?? {} } : undefined
  }

  async #destroy(sid: string): Promise<void> {
    await this.#inTime(ask(this.old, 'destroy', sid), 'destroy')
  }

  #inTime<T>(work: Promise<T>, method: string): Promise<T> {
    return inTime(work, this.engine.settings.storeTimeout, `migrateFrom.${method}`)
  }
}
