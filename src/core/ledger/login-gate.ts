import { isSessionError, SessionError } from '../../errors.js'
import { inBatches } from '../../lib/async/batches.js'
import { pause } from '../../lib/async/timers.js'
import { invalid, show } from '../../lib/options/invalid.js'
import type { SessionRecord } from '../../record.js'
import {
  claimSeat,
  confirmSeat,
  MAX_SEATS,
  releaseSeat,
  succeedToSeat,
  type Claimed,
  type Seat,
} from '../limits.js'
import { clientOf } from '../events/envelope.js'
import type { Client } from '../client/client.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Records } from '../records/records.js'
import type { Settings } from '../settings.js'
import type { Flights } from './flights.js'
import { changesSince, type Ledger } from './ledger.js'
import type { Ledgers, WrittenLedger } from './ledgers.js'

/** A store that fails for a moment, as SQLite does while it is locked, is asked again so many times. */
const TRIES = 4
const PAUSE_MS = 25

/** A login that is under way, with the seat that it has taken. */
export interface Pass {
  /** The session that it is about to store. */
  readonly record: SessionRecord
  /** What was written when it asked for a seat. Absent where it has no user of its own that could be an old one. */
  readonly before?: Ledger | undefined
  /** The same with its seat. */
  readonly ledger: WrittenLedger
  /** The sessions that have to end for it, besides those that its browser holds. */
  readonly pushesOut: readonly string[]
}

/** Takes a seat, if there is one. */
type Take = (seats: readonly Seat[], ended: ReadonlySet<string> | undefined) => Claimed

/** How a seat is asked for. */
interface Asked {
  readonly claim: Take
  /** The sessions that end for it anyway. */
  readonly ends: readonly string[]
  /** What is said where there is none. */
  readonly full: () => SessionError
}

/**
 * Where `maxSessions` is counted: a login takes a seat in the ledger of its user before its session is stored. Before it
 * is acknowledged, it sees whether it still has the seat, and whether its user is still the same.
 */
export class LoginGate {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly ledgers: Ledgers,
    private readonly flights: Flights,
    private readonly settings: Settings,
    /** Ends a session for which there is no seat any more. */
    private readonly pushOut: (record: SessionRecord, client: Client) => Promise<unknown>,
  ) {}

  /**
   * Takes a seat.
   *
   * @param user whom `maxSessions` is asked about.
   * @param held what the browser holds: the new session takes the seats of those of the same user.
   * @returns nothing where nobody counts.
   * @throws SessionError SESSIONS_FULL where there is no seat, and none is made.
   */
  async enter(
    record: SessionRecord,
    user: unknown,
    held: readonly SessionRecord[],
  ): Promise<Pass | undefined> {
    const { userId } = record
    const { maxSessions } = this.settings
    if (userId === undefined || maxSessions === undefined) return undefined
    const { id } = record
    const { whenFull } = this.settings
    const replaces = held.flatMap((one) => ownSessionOf(userId, one))
    const max = seatsOf(maxSessions, user)
    const claim: Take = (seats, ended) =>
      claimSeat(seats, { id, replaces, max, whenFull, now: Date.now(), ended })
    // An actor's own session ends with the one that acts from it. Should it act anew meanwhile, it is pushed out.
    const ends = held.map((one) => one.id)
    return this.#claim(record, userId, { claim, ends, full: () => full(max) })
  }

  /**
   * Gives a session the seat of the one that it succeeds to.
   *
   * @param takesBack whether it gets that also from a login that is about to take it: that one fails.
   * @throws SessionError CONFLICT where a login is about to take the place of the old one.
   */
  async succeed(record: SessionRecord, old: string, takesBack = false): Promise<Pass | undefined> {
    const { userId } = record
    if (userId === undefined || this.settings.maxSessions === undefined) return undefined
    const claim: Take = (seats) => succeedToSeat(seats, { id: record.id, old, now: Date.now(), takesBack })
    const asked = { claim, ends: [old], full: replacedMeanwhile }
    const { before: _, ...pass } = await this.#claim(record, userId, asked)
    return pass
  }

  /** Whether the session of this login must not be stored at all: it was pushed out already. */
  isOut({ record, ledger }: Pass): boolean {
    return !hasSeat(ledger, record.id)
  }

  /**
   * Ends what this login pushes out, and confirms its seat. Called once the session is stored, and what the browser held
   * has ended.
   *
   * @returns false where newer logins have pushed this one out; then its session has ended.
   * @throws SessionError USER_CHANGED where the user was changed since the login began: the session may have the old one.
   */
  async confirm({ record, before, ledger, pushesOut }: Pass): Promise<boolean> {
    const { id, userId, absoluteExpiresAt } = record
    await inBatches(onePage(pushesOut), async (other) => {
      const found = await this.#find(other)
      if (found !== undefined) await this.pushOut(found, clientOf(record))
    })
    const confirm = (current: Ledger) => withSeats(current, confirmSeat(current.seats ?? [], id))
    const after = await this.ledgers.edit(userId!, absoluteExpiresAt, confirm, ledger)
    const changes = before === undefined ? [] : changesSince(before, after)
    if (changes === undefined || !changes.every((change) => this.flights.reaches(change))) throw userChanged()
    if (hasSeat(after, id)) return true
    if (this.settings.whenFull === 'refuse') throw tooSlow()
    await this.records.delete(id)
    return false
  }

  /** A login has failed: its session is removed, and what it would have replaced has its seats again. Never rejects. */
  async leave({ record }: Pass): Promise<void> {
    const { id, userId, absoluteExpiresAt } = record
    const release = (ledger: Ledger) => withSeats(ledger, releaseSeat(ledger.seats ?? [], id))
    try {
      await persist(async () => this.records.delete(id))
      await persist(() => this.ledgers.edit(userId!, absoluteExpiresAt, release))
    } catch {
      // The seat stays pending. After a while it counts as given up, and the session, should it be there, is removed.
    }
  }

  async #claim(record: SessionRecord, userId: string, asked: Asked): Promise<Pass> {
    const { id, absoluteExpiresAt } = record
    let ended: ReadonlySet<string> | undefined
    let before: Ledger | undefined
    for (;;) {
      let dropped: readonly string[] = []
      const edit = (ledger: Ledger): Ledger => {
        before ??= ledger
        const claimed = asked.claim(ledger.seats ?? [], ended)
        if (claimed.outcome === 'look') throw new LookFirst(claimed.ids)
        if (claimed.outcome === 'full') throw asked.full()
        dropped = claimed.dropped
        return { ...ledger, seats: claimed.seats }
      }
      try {
        const ledger = await this.ledgers.edit(userId, absoluteExpiresAt, edit)
        await this.#remove(dropped)
        const keeps = ledger.seats?.find((seat) => seat.id === id)?.replaces ?? []
        const pushesOut = keeps.filter((one) => !asked.ends.includes(one))
        return { record, before: before ?? ledger, ledger, pushesOut }
      } catch (error) {
        if (!(error instanceof LookFirst)) throw error
        ended = await this.#endedOf(error.ids)
      }
    }
  }

  /** Which of these sessions have ended. */
  async #endedOf(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const ended = await inBatches(onePage(ids), async (id) =>
      (await this.#find(id)) === undefined ? [id] : [],
    )
    return new Set(ended.flat())
  }

  async #find(id: string): Promise<SessionRecord | undefined> {
    try {
      const found = await this.records.findFresh(id)
      return found && (await this.live.ifAlive(found))
    } catch (error) {
      // It has a seat as long as it is there.
      if (isSessionError(error) && error.code === 'RECORD_DAMAGED') return { id } as SessionRecord
      throw error
    }
  }

  /** Removes what logins have left that nobody will acknowledge. Those that still run see it by themselves. */
  async #remove(ids: readonly string[]): Promise<void> {
    await Promise.allSettled(ids.map(async (id) => this.records.delete(id)))
  }
}

/** What a login of this user ends of theirs: a session that the browser holds, or that its user acts from. */
function ownSessionOf(userId: string, { id, userId: holder, actor }: SessionRecord): readonly string[] {
  if (actor !== undefined) return actor.userId === userId ? [actor.sessionId] : []
  return holder === userId ? [id] : []
}

/** Not a failure: a claim has to know first which of these sessions have ended. */
class LookFirst extends Error {
  constructor(readonly ids: readonly string[]) {
    super()
  }
}

function seatsOf(maxSessions: NonNullable<Settings['maxSessions']>, user: unknown): number {
  // What the application returns is not to be trusted.
  const max = (typeof maxSessions === 'number' ? maxSessions : maxSessions(user)) as number
  if (Number.isSafeInteger(max) && max >= 1 && max <= MAX_SEATS) return max
  throw invalid(
    `maxSessions returned ${show(max)}. It must return an integer from 1 to ${MAX_SEATS}, and must not be async.`,
  )
}

function hasSeat({ seats = [] }: Ledger, id: string): boolean {
  return seats.some((seat) => seat.id === id)
}

function withSeats(ledger: Ledger, seats: Ledger['seats']): Ledger {
  return seats === undefined ? ledger : { ...ledger, seats }
}

/** All of them as one page. */
async function* onePage<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items
}

async function persist(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work()
      return
    } catch (error) {
      if (attempt === TRIES) throw error
      await pause(attempt * PAUSE_MS)
    }
  }
}

function full(max: number): SessionError {
  return new SessionError(
    'SESSIONS_FULL',
    `This user has ${max} sessions already, as many as maxSessions allows. Log out on another device first.`,
  )
}

function replacedMeanwhile(): SessionError {
  return new SessionError(
    'CONFLICT',
    'Another login is about to take the place of this session (maxSessions). Nothing has changed. Try again.',
  )
}

function userChanged(): SessionError {
  return new SessionError(
    'USER_CHANGED',
    'This user was changed while the login was under way, so it might have kept the user of before. Nothing was ' +
      'started. Log in again.',
  )
}

function tooSlow(): SessionError {
  return new SessionError(
    'CONFLICT',
    'This login took so long that its place among the sessions of its user was given up. Nothing was started. Try again.',
  )
}
