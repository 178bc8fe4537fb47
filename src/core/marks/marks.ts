import { hash } from 'node:crypto'
import { SessionError } from '../../errors.js'
import { pause } from '../../lib/async/timers.js'
import { derivedId } from '../../lib/uuid.js'
import type { JsonObject, SessionRecord } from '../../record.js'
import { isExpired } from '../lifetime.js'
import type { Records } from '../records/records.js'

/** What a mark is about. Each kind has ids of its own. */
export type MarkKind = 'adopted' | 'adoptionClosed' | 'takeOverClosed' | 'providerSession' | 'logoutToken'

/** A mark as it was just read or written. */
export interface Mark {
  readonly data: JsonObject
  readonly record: SessionRecord
}

const LONGEST_PAUSE_MS = 20

/**
 * Facts that all nodes must know of: that an old cookie was used, that a logout token was seen. Each is a record in the
 * same store, under an id that follows from what it is about, and is changed by compare-and-set. It is no session, just as
 * the ledger of a user is none (`core/ledger`): it belongs to no user, no token names it, and nobody gains anything by
 * knowing its id.
 */
export class Marks {
  constructor(private readonly records: Records) {}

  /** The mark about these texts, as it is now: never from a cache. */
  async find(kind: MarkKind, texts: readonly string[]): Promise<Mark | undefined> {
    const record = await this.records.findLedger(markId(kind, texts))
    return record === undefined || isExpired(record, Date.now()) ? undefined : markOf(record)
  }

  /**
   * Puts a mark there, kept until then. Of simultaneous calls, one puts it.
   *
   * @param data differs from what anybody else would put there.
   * @returns `undefined` where there is one already.
   */
  async put(
    kind: MarkKind,
    texts: readonly string[],
    data: JsonObject,
    until: number,
  ): Promise<Mark | undefined> {
    const id = markId(kind, texts)
    const fresh = markRecord(id, data, until)
    if (await this.records.insertLedger(fresh)) return markOf(fresh)
    const found = await this.records.findLedger(id)
    if (found === undefined) return undefined
    // Some clients send again what they did not see acknowledged.
    if (JSON.stringify(found.data) === JSON.stringify(data)) return markOf(found)
    if (!isExpired(found, Date.now())) return undefined
    const next = { ...fresh, version: found.version + 1 }
    return (await this.records.update(next, found.version)) === 'ok' ? markOf(next) : undefined
  }

  /**
   * Changes what a mark says, by compare-and-set: `edit` runs again on what others have written meanwhile. The very same
   * data writes nothing.
   *
   * @param until the mark is kept at least until then.
   * @returns `undefined` where the mark is gone.
   */
  async change(mark: Mark, edit: (data: JsonObject) => JsonObject, until = 0): Promise<Mark | undefined> {
    const deadline = performance.now() + this.records.timeout
    let current: SessionRecord | undefined = mark.record
    while (current !== undefined && !isExpired(current, Date.now())) {
      const data = edit(current.data)
      if (data === current.data) return markOf(current)
      const expiresAt = Math.max(current.expiresAt, until)
      const version = current.version + 1
      const next = { ...current, data, expiresAt, absoluteExpiresAt: expiresAt, version }
      if ((await this.records.update(next, current.version)) === 'ok') return markOf(next)
      if (performance.now() > deadline) throw conflict()
      await pause(Math.random() * LONGEST_PAUSE_MS)
      current = await this.records.findLedger(current.id)
    }
    return undefined
  }

  /** Lets a mark expire: what it says is to count no longer. */
  async drop({ record }: Mark): Promise<void> {
    const gone = { expiresAt: 0, absoluteExpiresAt: 0, version: record.version + 1 }
    await this.records.update({ ...record, ...gone }, record.version)
  }
}

/** Whoever knows the texts finds the mark, on any node; nobody can find the texts by the id. */
export function markId(kind: MarkKind, texts: readonly string[]): string {
  // As JSON, so that no two lists of texts become one text.
  return derivedId(hash('sha256', `express-sid mark ${JSON.stringify([kind, ...texts])}`, 'buffer'))
}

function markOf(record: SessionRecord): Mark {
  return { data: record.data, record }
}

function markRecord(id: string, data: JsonObject, until: number): SessionRecord {
  const now = Date.now()
  return {
    id,
    version: 1,
    // No hash is equal to that.
    secretHash: '',
    seriesHash: '',
    data,
    userAgent: '',
    ip: '',
    createdAt: now,
    authenticatedAt: now,
    lastSeenAt: now,
    expiresAt: until,
    absoluteExpiresAt: until,
  }
}

function conflict(): SessionError {
  return new SessionError(
    'CONFLICT',
    'Others kept changing the same mark, so this write was given up. Try again.',
  )
}
