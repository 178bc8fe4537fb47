import { SessionError } from '../../errors.js'
import { inBatches } from '../../lib/async/batches.js'
import { pause } from '../../lib/async/timers.js'
import { isSessionRecord, type SessionRecord } from '../../record.js'
import { isExpired } from '../lifetime.js'
import type { Seat } from '../limits.js'
import { Changes } from '../records/changes.js'
import type { Records } from '../records/records.js'
import { blankLedger, ledgerIdOf, ownerOf, readLedger, writtenLedger, type Ledger } from './ledger.js'

/** Clocks of machines differ. A ledger must not be forgotten before the last of its sessions. */
const MARGIN_MS = 3_600_000
/** So many conflicts in a row are plain bad luck; after them, competing writers step out of each other's way. */
const AT_ONCE = 3
const LONGEST_PAUSE_MS = 20

/** A ledger as it was just written. */
export interface WrittenLedger extends Ledger {
  readonly record: SessionRecord
}

type Edit = (record: SessionRecord) => SessionRecord

/** Reads and changes the ledgers of users. */
export class Ledgers {
  readonly #changes: Changes

  constructor(private readonly records: Records) {
    this.#changes = new Changes((record, edit) => this.#write(record, edit))
  }

  /**
   * Changes a ledger by compare-and-set, together with the other changes that this process makes to it in the same
   * moment. `edit` may run again, on a newer ledger. Where it throws, nothing is written for it.
   *
   * @param until when the sessions that it tells of have ended for certain.
   * @param known what this process wrote last; without it the ledger is read first.
   * @throws SessionError CONFLICT when others kept winning until the store's timeout.
   */
  async edit(
    userId: string,
    until: number,
    edit: (ledger: Ledger) => Ledger,
    known?: WrittenLedger,
  ): Promise<WrittenLedger> {
    const first = known?.record ?? blankLedger(userId, Date.now())
    const written = await this.#changes.change(first, (record) => {
      const ledger = readLedger(record)
      const edited = edit(ledger)
      return edited === ledger ? record : writtenLedger(record, edited, until + MARGIN_MS)
    })
    return { ...readLedger(written!), record: written! }
  }

  /** As `change` does with sessions; but a ledger that is not there is made. */
  async #write(known: SessionRecord, edit: Edit): Promise<SessionRecord> {
    const deadline = performance.now() + this.records.timeout
    const userId = ownerOf(known)
    let found = known.version === 0 ? await this.#read(userId) : known
    for (let attempt = 1; ; attempt += 1) {
      const current = await this.#counted(found ?? blankLedger(userId, Date.now()), userId)
      const edited = edit(current)
      // What an edit looks for and does not find has been taken away, and that is never undone.
      if (edited === current && found !== undefined) return found
      const next = { ...edited, version: current.version + 1 }
      if (await this.#put(next, found)) return next
      if (performance.now() > deadline) throw conflict()
      if (attempt > AT_ONCE) await pause(Math.random() * Math.min(attempt, LONGEST_PAUSE_MS))
      found = await this.#read(userId)
    }
  }

  async #put(next: SessionRecord, found: SessionRecord | undefined): Promise<boolean> {
    if (found === undefined) return this.records.insertLedger(next)
    return (await this.records.update(next, found.version)) === 'ok'
  }

  async #read(userId: string): Promise<SessionRecord | undefined> {
    return this.records.findLedger(ledgerIdOf(userId))
  }

  /** The ledger with its seats. One that has none yet gets those of the sessions that were there before it. */
  async #counted(record: SessionRecord, userId: string): Promise<SessionRecord> {
    if (readLedger(record).seats !== undefined) return record
    const now = Date.now()
    const records = await inBatches(this.records.pagesByUser(userId), (one) => one)
    // Acting sessions don't count.
    const live = records.filter(
      (one) => isSessionRecord(one) && one.actor === undefined && !isExpired(one, now),
    )
    const seats = live
      .toSorted((one, other) => one.createdAt - other.createdAt)
      .map(({ id }): Seat => ({ id }))
    const until = Math.max(now, ...live.map(({ absoluteExpiresAt }) => absoluteExpiresAt))
    // A record that was changed while the pages were read may be on two of them.
    const once = [...new Map(seats.map((seat) => [seat.id, seat])).values()]
    return writtenLedger(record, { ...readLedger(record), seats: once }, until + MARGIN_MS)
  }
}

function conflict(): SessionError {
  return new SessionError(
    'CONFLICT',
    'So many logins of one user came at once that this one was given up. Nothing was started. Try again.',
  )
}
