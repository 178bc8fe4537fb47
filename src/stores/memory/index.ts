import { SessionError } from '../../errors.js'
import { idTaken } from '../../lib/id-taken.js'
import { integer } from '../../lib/option-kinds.js'
import { ofStore, readOptions } from '../../lib/options.js'
import { warnOnce } from '../../lib/warn-once.js'
import type { SessionRecord } from '../../record.js'
import type { ListingStore, UpdateResult } from '../../store.js'
import { DeadlineHeap, type HeapItem } from './deadline-heap.js'
import { frozenRecord } from './frozen-record.js'
import { UserIndex } from './user-index.js'

export interface MemoryStoreOptions {
  /** How many sessions are kept at most, from 1 to 16,000,000. Default 100,000, which is about 100 MB. */
  readonly maxSessions?: number | undefined
}

const memoryOptions = {
  maxSessions: {
    // A Map throws past 2^24 entries.
    kind: integer(1, 16_000_000),
    default: 100_000,
    doc: 'how many sessions are kept at most',
  },
} as const

/**
 * Keeps sessions in this process: for development, tests, and apps of one process whose users may be logged
 * out by a restart. Every result is synchronous and frozen. There is no timer: the manager removes what has
 * expired, and a full store does so itself.
 *
 * A full store makes room for a new session: it forgets what has expired, then drops the guest that was seen
 * longest ago. A live login is never dropped, so with nothing but logins `insert` throws STORE_FULL (503).
 * Warns once when it is made in production.
 *
 * @throws SessionError OPTION_INVALID for an option that is unknown or has no usable value.
 * @example app.use(sessionMiddleware({ store: memoryStore({ maxSessions: 10_000 }) }))
 */
export function memoryStore(options: MemoryStoreOptions = {}): ListingStore {
  const { maxSessions } = readOptions(options, ofStore('memoryStore'), memoryOptions)
  if (process.env.NODE_ENV === 'production') warnOnce('SID_MEMORY_STORE', inProduction)
  return new MemoryStore(maxSessions)
}

interface Entry extends HeapItem {
  record: SessionRecord
}

class MemoryStore implements ListingStore {
  readonly #maxSessions: number
  readonly #entries = new Map<string, Entry>()
  readonly #users = new UserIndex<Entry>()
  // Two heaps, because guests make room for logins, and logins make room for nobody.
  readonly #guests = new DeadlineHeap<Entry>()
  readonly #logins = new DeadlineHeap<Entry>()

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions
  }

  insert(given: SessionRecord): void {
    if (this.#entries.has(given.id)) throw idTaken(given.id)
    const entry = { record: frozenRecord(given), place: 0 }
    this.#makeRoom(given.createdAt)
    if (given.userId !== undefined) this.#users.add(given.userId, entry)
    this.#heapOf(entry).add(entry, given.expiresAt)
    this.#entries.set(given.id, entry)
  }

  get(id: string): SessionRecord | undefined {
    return this.#entries.get(id)?.record
  }

  getMany(ids: readonly string[]): (SessionRecord | undefined)[] {
    return ids.map((id) => this.#entries.get(id)?.record)
  }

  update(given: SessionRecord, ifVersion: number): UpdateResult {
    const entry = this.#entries.get(given.id)
    if (entry === undefined) return 'absent'
    if (entry.record.version !== ifVersion) return 'conflict'
    entry.record = frozenRecord(given, entry.record)
    // A later deadline moves nothing now: the entry is looked at again when the old one has come. So a touch is cheap.
    const heap = this.#heapOf(entry)
    if (given.expiresAt < heap.timeOf(entry)) heap.move(entry, given.expiresAt)
    return 'ok'
  }

  delete(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  listByUser(userId: string): SessionRecord[] {
    return this.#users.of(userId).map(({ record }) => record)
  }

  deleteExpired(now: number, limit: number): number {
    const guests = this.#sweep(this.#guests, now, limit)
    return guests + this.#sweep(this.#logins, now, limit - guests)
  }

  #sweep(heap: DeadlineHeap<Entry>, now: number, limit: number): number {
    for (let count = 0; count < limit; count++) {
      const entry = heap.first
      if (entry === undefined || heap.timeOf(entry) > now) return count
      if (entry.record.expiresAt <= now) this.#remove(entry)
      else heap.move(entry, entry.record.expiresAt)
    }
    return limit
  }

  /** `now` is when the new record was made: time is the core's. */
  #makeRoom(now: number): void {
    while (this.#entries.size >= this.#maxSessions) {
      if (this.deleteExpired(now, 1) === 1) continue
      const guest = this.#guestSeenLongestAgo()
      if (guest === undefined) throw isFull(this.#maxSessions)
      this.#remove(guest)
    }
  }

  /** All guests have the same idle timeout, so it is the one whose deadline is next. */
  #guestSeenLongestAgo(): Entry | undefined {
    for (;;) {
      const guest = this.#guests.first
      if (guest === undefined || guest.record.expiresAt === this.#guests.timeOf(guest)) return guest
      this.#guests.move(guest, guest.record.expiresAt)
    }
  }

  #remove(entry: Entry): void {
    const { id, userId } = entry.record
    this.#entries.delete(id)
    this.#heapOf(entry).remove(entry)
    if (userId !== undefined) this.#users.remove(userId, entry)
  }

  #heapOf({ record }: Entry): DeadlineHeap<Entry> {
    return record.userId === undefined ? this.#guests : this.#logins
  }
}

const inProduction =
  'memoryStore() keeps sessions in this process: a restart logs everybody out, and other processes do not ' +
  'know them. Give createSessions or sessionMiddleware a `store` from express-sid/sqlite, ' +
  'express-sid/postgres, express-sid/mysql or express-sid/redis.'

function isFull(maxSessions: number): SessionError {
  return new SessionError(
    'STORE_FULL',
    `memoryStore holds ${maxSessions} logins, as many as it may, so this session was refused. ` +
      'Raise maxSessions, or use a store that keeps sessions outside of the process.',
  )
}
