import { SessionError } from '../../errors.js'
import { idTaken } from '../../lib/id-taken.js'
import type { Json } from '../../lib/json/json.js'
import { integer } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions } from '../../lib/options/options.js'
import { isDerivedId } from '../../lib/uuid.js'
import { warnOnce } from '../../lib/warn-once.js'
import type { SessionRecord } from '../../record.js'
import type { OnRemoved, RecordPage, ScannableStore, UpdateResult } from '../../store.js'
import { frozenRecord } from './frozen-record.js'
import { defaultMaxBytes, heapBytes } from './heap-bytes.js'
import { Pool, type Entry } from './pool.js'
import { UserIndex } from './user-index.js'

/** The options of `memoryStore()`. All are optional; all are checked at start. */
export interface MemoryStoreOptions {
  /** How many sessions are kept at most, from 1 to 16,000,000. Default 100,000, which is about 100 MB. */
  readonly maxSessions?: number | undefined
  /**
   * How many bytes they take at most, as estimated from their users and data. Default 256,000,000, or 2,560 for each
   * of `maxSessions` where that is more.
   */
  readonly maxBytes?: number | undefined
}

const memoryOptions = {
  maxSessions: {
    // A Map throws past 2^24 entries.
    kind: integer(1, 16_000_000),
    default: 100_000,
    doc: 'how many sessions are kept at most',
  },
  maxBytes: {
    kind: integer(1),
    defaultText: '256,000,000, or 2,560 for each of maxSessions',
    doc: 'how many bytes of memory they take at most, by estimate',
  },
} as const

/**
 * Keeps sessions in this process: for development, tests, and apps of one process whose users may be logged
 * out by a restart. Every result is synchronous and frozen. There is no timer: the manager removes what has
 * expired, and a full store does so itself.
 *
 * A full store makes room for a new session, and for new data: it forgets what has expired, then drops the guest that
 * was seen longest ago. A live login is never dropped. Where there is no room without that, `insert` and `update` throw
 * STORE_FULL (503) and change nothing. Warns once when it is made in production.
 *
 * @throws SessionError OPTION_INVALID for an option that is unknown or has no usable value.
 * @example app.use(sessionMiddleware({ store: memoryStore({ maxSessions: 10_000 }) }))
 */
export function memoryStore(options: MemoryStoreOptions = {}): ScannableStore {
  const { maxSessions, maxBytes } = readOptions(options, ofStore('memoryStore'), memoryOptions)
  if (process.env.NODE_ENV === 'production') warnOnce('SID_MEMORY_STORE', inProduction)
  return new MemoryStore(maxSessions, maxBytes ?? defaultMaxBytes(maxSessions))
}

class MemoryStore implements ScannableStore {
  readonly #entries = new Map<string, Entry>()
  readonly #users = new UserIndex<Entry>()
  // Two pools, because guests make room for logins, and logins make room for nobody.
  readonly #guests = new Pool()
  readonly #logins = new Pool()
  #inserted = 0

  constructor(
    private readonly maxSessions: number,
    private readonly maxBytes: number,
  ) {}

  insert(given: SessionRecord): void {
    if (this.#entries.has(given.id)) throw idTaken(given.id)
    const record = frozenRecord(given)
    const entry = { record, bytes: bytesOf(record), order: (this.#inserted += 1), place: 0 }
    this.#makeRoom(1, entry.bytes, given.createdAt)
    if (given.userId !== undefined) this.#users.add(given.userId, entry)
    this.#poolOf(entry).add(entry)
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
    const old = entry.record
    if (old.version !== ifVersion) return 'conflict'
    const record = frozenRecord(given, old)
    this.#replace(entry, record, entry.bytes + growthOf(old, record))
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

  pageByUser(userId: string, limit: number, after = '0'): RecordPage {
    const rest = this.#users.of(userId).filter(({ order }) => order > Number(after))
    const page = rest.slice(0, limit)
    const next = page.length < rest.length ? String(page.at(-1)?.order) : undefined
    return { records: page.map(({ record }) => record), next }
  }

  scan(limit: number, after = '0'): RecordPage {
    const records: SessionRecord[] = []
    // The map is in the order of insertion, so it is gone through from the start for each page. That takes less than a
    // millisecond for 100,000 sessions.
    for (const { record, order } of this.#entries.values()) {
      if (order <= Number(after)) continue
      records.push(record)
      if (records.length === limit) return { records, next: String(order) }
    }
    return { records, next: undefined }
  }

  count(now: number): number {
    let count = 0
    for (const { record } of this.#entries.values()) {
      if (record.expiresAt > now && !isDerivedId(record.id)) count += 1
    }
    return count
  }

  deleteExpired(now: number, limit: number, onRemoved?: OnRemoved): number {
    const removed: SessionRecord[] = []
    const end = (entry: Entry) => {
      this.#remove(entry)
      removed.push(entry.record)
    }
    const guests = this.#guests.sweep(now, limit, end)
    const count = guests + this.#logins.sweep(now, limit - guests, end)
    onRemoved?.(removed)
    return count
  }

  #replace(entry: Entry, record: SessionRecord, bytes: number): void {
    const pool = this.#poolOf(entry)
    if (this.#bytes + bytes - entry.bytes <= this.maxBytes) return pool.replace(entry, record, bytes)
    // Outside of its pool meanwhile, so that it does not make room for itself.
    pool.remove(entry)
    try {
      this.#makeRoom(0, bytes, record.lastSeenAt)
      Object.assign(entry, { record, bytes })
    } finally {
      pool.add(entry)
    }
  }

  get #bytes(): number {
    return this.#guests.bytes + this.#logins.bytes
  }

  /** `now` is when the change was made: time is the core's. */
  #makeRoom(sessions: number, bytes: number, now: number): void {
    for (;;) {
      const isOneTooMany = this.#entries.size + sessions > this.maxSessions
      if (!isOneTooMany && this.#bytes + bytes <= this.maxBytes) return
      if (this.deleteExpired(now, 1) === 1) continue
      const guest = this.#guests.next()
      // Where all guests together are not enough, none is dropped in vain.
      if (this.#logins.bytes + bytes > this.maxBytes) throw isFull(`${this.maxBytes} bytes`, 'maxBytes')
      if (guest === undefined) throw isFull(`${this.#entries.size} logins`, 'maxSessions')
      this.#remove(guest)
    }
  }

  #remove(entry: Entry): void {
    const { id, userId } = entry.record
    this.#entries.delete(id)
    this.#poolOf(entry).remove(entry)
    if (userId !== undefined) this.#users.remove(userId, entry)
  }

  #poolOf({ record }: Entry): Pool {
    // What is kept of a user for all of their sessions together must not make room for a login either.
    return record.userId === undefined && !isDerivedId(record.id) ? this.#guests : this.#logins
  }
}

/** Its places in the maps and the heap take less than the names of its fields, which all records share. */
const ENTRY_BYTES = -500

function bytesOf(record: SessionRecord): number {
  return ENTRY_BYTES + heapBytes(record as unknown as Json)
}

/** What an application writes. The rest of a record is bounded, and a touch that changes it must not be refused. */
const ofAnySize = ['data', 'user', 'cookie'] as const

/** How many bytes more a record takes than the one before. Only what has changed is looked into. */
function growthOf(old: SessionRecord, record: SessionRecord): number {
  let growth = 0
  for (const name of ofAnySize) {
    if (record[name] !== old[name]) growth += heapBytes(record[name]) - heapBytes(old[name])
  }
  return growth
}

const inProduction =
  'memoryStore() keeps sessions in this process: a restart logs everybody out, and other processes do not ' +
  'know them. Give createSessions or sessionMiddleware a `store` from express-sid/sqlite, ' +
  'express-sid/postgres, express-sid/mysql or express-sid/redis.'

function isFull(held: string, option: string): SessionError {
  return new SessionError(
    'STORE_FULL',
    `memoryStore holds ${held}, as many as it may, and drops no login, so this session was refused. ` +
      `Raise ${option}, or use a store that keeps sessions outside of the process.`,
  )
}
