import { randomUUID } from 'node:crypto'
import { inBatches } from '../../lib/async/batches.js'
import { isSessionRecord, type SessionRecord } from '../../record.js'
import type { Flights } from '../ledger/flights.js'
import { withChange } from '../ledger/ledger.js'
import type { Ledgers } from '../ledger/ledgers.js'
import type { Records } from '../records/records.js'

/** How far clocks of machines may be apart, for what is decided by them. */
const CLOCKS_MS = 1_000
/** A session may get a successor while it is looked at, and that one again. Nobody does so many times. */
const MAX_PASSES = 5

/** What is done with each session: true where it is done, false where the session has ended meanwhile. */
type Work = (record: SessionRecord) => Promise<boolean>

/**
 * Reaches all sessions of a user, those of logins under way among them. A login that began before, with the user of
 * before, may store its session after the last one was listed:
 *
 * - In this process such logins are waited for.
 * - On other nodes, with `maxSessions`: the change is written to the user's ledger. A login that finds it there when it
 *   confirms its seat fails with USER_CHANGED.
 * - On other nodes without it: a login has stored its session after two calls to the store, or has failed. So the user's
 *   sessions are looked at once more after that time.
 */
export class Reach {
  readonly #timers = new Set<NodeJS.Timeout>()

  /** @param ledgers absent where no login looks into them. */
  constructor(
    private readonly records: Records,
    private readonly flights: Flights,
    private readonly ledgers: Ledgers | undefined,
  ) {}

  /**
   * Does the work once for each session of a user. All are tried before a failure is reported.
   *
   * @param spared ids of sessions that are left alone. May be added to later.
   * @returns how many there were.
   */
  async each(userId: string, work: Work, spared: Set<string> = new Set()): Promise<number> {
    const since = Date.now()
    const change = randomUUID()
    let isMissed = false
    /** Never twice for one session, whatever its outcome is. */
    const visit = async (record: SessionRecord): Promise<boolean> => {
      if (spared.has(record.id) || !isSessionRecord(record) || record.userId !== userId) return false
      spared.add(record.id)
      const isDone = await work(record)
      isMissed ||= !isDone
      return isDone
    }
    this.flights.expect(change)
    try {
      await this.ledgers?.edit(userId, since, (ledger) => withChange(ledger, change, since))
      let count = 0
      for (let pass = 1; pass <= MAX_PASSES; pass += 1) {
        isMissed = false
        const visited = await inBatches(this.records.pagesByUser(userId), visit)
        count += visited.filter(Boolean).length
        // One that has ended may have a successor, which was stored after the page was read.
        if (!isMissed) break
      }
      // First: a login that begins from here on is neither waited for nor looked for.
      if (this.ledgers === undefined) this.#lookAgain(userId, visit, since, spared)
      const landed = await Promise.all((await this.flights.landed(userId)).map(visit))
      return count + landed.filter(Boolean).length
    } finally {
      this.flights.forget(change)
    }
  }

  /** Sends nothing any more. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #lookAgain(userId: string, visit: Work, since: number, spared: Set<string>): void {
    const spareNoMore = this.flights.spareLater(userId, spared)
    const look = async () => {
      this.#timers.delete(timer)
      spareNoMore()
      const isEarlier = ({ createdAt }: SessionRecord) => createdAt <= since + CLOCKS_MS
      await inBatches(this.records.pagesByUser(userId), async (one) => isEarlier(one) && visit(one))
    }
    // A failure has been told as a `storeError`.
    const timer = setTimeout(() => void look().catch(() => undefined), 2 * this.records.timeout + CLOCKS_MS)
    this.#timers.add(timer.unref())
  }
}
