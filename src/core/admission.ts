import type { SessionRecord } from '../record.js'
import type { MaybePromise, UpdateResult } from '../store.js'
import { compareClients, type Client, type ClientChange } from './client/client.js'
import type { Events } from './events.js'
import { isExpired, isTouchDue, touched } from './lifetime.js'
import { chain, isPromise } from '../lib/promises.js'
import type { Records } from './records/records.js'
import type { ClientChangePolicy, Settings } from './settings.js'
import { secretMatches, type Token } from './token.js'

type Found = SessionRecord | undefined

/** The most sessions whose last report is remembered; past it the oldest are forgotten, and may be reported again. */
const MAX_REMEMBERED = 10_000

/** Who may pass: the holder of the secret, before the deadline, with the client that the session knows. */
export class Admission {
  readonly #reportedAt = new Map<string, number>()

  constructor(
    private readonly records: Records,
    private readonly events: Events,
    private readonly settings: Settings,
  ) {}

  /** The live session that the token opens. Nothing is written or reported before the secret is verified. */
  verify(token: Token): MaybePromise<Found> {
    return chain(this.records.find(token.id), (record) => {
      if (record === undefined || !secretMatches(token.secret, record.secretHash)) return undefined
      return this.ifAlive(record)
    })
  }

  /** The record, unless its deadline has passed. */
  ifAlive(record: SessionRecord): MaybePromise<Found> {
    if (!isExpired(record, Date.now())) return record
    // Deleted, not only passed over: a clock that is set back must not revive what was seen expired.
    return chain(this.records.delete(record.id), (wasThere) => {
      const { id: sessionId, userId } = record
      if (wasThere && userId !== undefined) this.events.emit('expire', { sessionId, userId })
      return undefined
    })
  }

  /** The session as of this use; `undefined` where it has just ended. */
  admit(record: SessionRecord, client: Client): MaybePromise<Found | 'refused'> {
    const changes = compareClients(record, client)
    if (changes.length > 0 && this.#isRefused(record, client, changes)) return 'refused'
    return isTouchDue(record, Date.now(), this.settings) ? this.#touch(record, client) : record
  }

  #isRefused(record: SessionRecord, seen: Client, changes: readonly ClientChange[]): boolean {
    const policies = changes.map((change) => this.#policy(change))
    if (policies.every((policy) => policy === 'ignore')) return false
    const refused = policies.includes('refuse')
    if (record.userId !== undefined && this.#mayReport(record.id)) {
      const recorded = { userAgent: record.userAgent, ip: record.ip }
      this.events.emit('clientChange', {
        sessionId: record.id,
        userId: record.userId,
        changes: changes.filter((_, index) => policies[index] !== 'ignore'),
        refused,
        recorded,
        seen,
      })
    }
    return refused
  }

  #policy(change: ClientChange): ClientChangePolicy {
    // Browsers update themselves: another version of the same engine is worth a line in a log, no more.
    return change === 'userAgent' ? 'report' : this.settings.onClientChange[change]
  }

  /** At most once a session per `touchInterval`. */
  #mayReport(id: string): boolean {
    const now = Date.now()
    const last = this.#reportedAt.get(id)
    if (last !== undefined && now - last < this.settings.touchInterval) return false
    this.#reportedAt.delete(id)
    this.#reportedAt.set(id, now)
    if (this.#reportedAt.size > MAX_REMEMBERED) {
      for (const oldest of this.#reportedAt.keys()) return this.#reportedAt.delete(oldest)
    }
    return true
  }

  /** Moves the idle deadline. A failure is only an event: the session was found, so the request goes on. */
  #touch(record: SessionRecord, client: Client): MaybePromise<Found> {
    const next = { ...touched(record, Date.now(), client, this.settings), version: record.version + 1 }
    const settle = (result: UpdateResult): Found => {
      if (result === 'ok') return next
      // Absent: logged out since it was read. Conflict: another request wrote, which moved the deadline as well.
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
}
