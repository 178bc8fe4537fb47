import { text } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions } from '../../lib/options/options.js'
import { idBytes, idText, isSessionId } from '../../lib/uuid.js'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../record.js'
import { RecordReader } from '../../record-reader.js'
import type { OnRemoved, RecordPage, ScannableStore, UpdateResult } from '../../store.js'
import { briefTransactions, checkClient, type SqliteDatabase } from './client.js'
import { openSchema } from './schema.js'

export type { SqliteDatabase, SqliteParameters, SqliteStatement } from './client.js'

/** The options of `sqliteStore()`. All are optional; all are checked at start. */
export interface SqliteStoreOptions {
  /**
   * The table that holds the sessions, made when it is missing: letters, digits and underscores, at most 60.
   * Its indexes and a table with its schema's version are named after it. Default `sid_sessions`.
   */
  table?: string | undefined
}

const sqliteOptions = {
  table: {
    kind: text(
      (table) => /^[a-z_]\w{0,59}$/i.test(table) && !/^sqlite_/i.test(table),
      'a name of at most 60 letters, digits and underscores, not beginning with a digit or "sqlite_"',
    ),
    default: 'sid_sessions',
    doc: 'the table that holds the sessions',
  },
} as const

/** A store that returns values, never promises. */
export interface SqliteStore extends ScannableStore {
  insert(record: SessionRecord): void
  get(id: string): SessionRecord | undefined
  getMany(ids: readonly string[]): (SessionRecord | undefined)[]
  updateMany(
    updates: readonly { readonly record: SessionRecord; readonly ifVersion: number }[],
  ): UpdateResult[]
  update(record: SessionRecord, ifVersion: number): UpdateResult
  delete(id: string): boolean
  listByUser(userId: string): SessionRecord[]
  pageByUser(userId: string, limit: number, after?: string): RecordPage
  scan(limit: number, after?: string): RecordPage
  count(now: number): number
  deleteExpired(now: number, limit: number, onRemoved?: OnRemoved): number
}

/**
 * Keeps sessions in a SQLite database, in the process: every call is synchronous.
 *
 * Give the store a connection of its own; the file may be the application's. While the application holds a
 * transaction open on the same connection, every write of the store is refused. The connection is set to WAL, `synchronous = FULL` (what was acknowledged survives a power cut, see
 * https://www.sqlite.org/pragma.html#pragma_synchronous), `wal_autocheckpoint = 100` pages and
 * `busy_timeout = 100` ms, or 0 while another process keeps the file locked. It is never closed.
 *
 * @throws SessionError OPTION_INVALID for a client that is not synchronous, a table name that can't be used,
 * a table that is not the store's, and one that a newer version of this package has changed.
 * @example sessionMiddleware({ store: sqliteStore(new Database('sessions.sqlite')) })
 */
export function sqliteStore(database: SqliteDatabase, options: SqliteStoreOptions = {}): SqliteStore {
  const { table } = readOptions(options, ofStore('sqliteStore'), sqliteOptions)
  checkClient(database)
  openSchema(database, table)
  const statements = prepareStatements(database, table)
  const transaction = briefTransactions(database)
  const reader = new RecordReader()

  const update = (change: ReturnType<typeof contents> & { ifVersion: number }): UpdateResult => {
    if (isOne(statements.update.run(change)) || isOne(statements.updateToEarlier.run(change))) return 'ok'
    return statements.get.get({ id: change.id }) ? 'conflict' : 'absent'
  }

  const recordsOf = (rows: unknown[]): SessionRecord[] =>
    // `rows.map` would return an array of the addon's realm, which under Jest is not equal to one of ours.
    Array.from(rows as { id: string; record: string }[], (row) => reader.read(idText(row.id), row.record))

  return {
    insert(record) {
      const contained = { ...contents(record), userKey: userKey(record.userId) }
      transaction(() => statements.insert.run(contained))
    },

    get(id) {
      const row = statements.get.get({ id: idBytes(id) }) as { record: string } | undefined
      return row && reader.read(id, row.record)
    },

    getMany(ids) {
      const found: (SessionRecord | undefined)[] = ids.map(() => undefined)
      // What is no id would be another spelling of one for `unhex`: it is asked for as nothing.
      const asked = JSON.stringify(ids.map((id) => (isSessionId(id) ? id : null)))
      const rows = statements.getMany.all({ ids: asked }) as { at: number | bigint; record: string }[]
      for (const { at, record } of rows) found[Number(at)] = reader.read(ids[Number(at)]!, record)
      return found
    },

    update(record, ifVersion) {
      const change = { ...contents(record), ifVersion }
      return transaction(() => update(change))
    },

    updateMany(updates) {
      // Encoded before the transaction begins, so that no other process waits for that.
      const changes = updates.map(({ record, ifVersion }) => ({ ...contents(record), ifVersion }))
      return transaction(() => changes.map(update))
    },

    delete(id) {
      reader.forget(id)
      return transaction(() => isOne(statements.delete.run({ id: idBytes(id) })))
    },

    listByUser(userId) {
      return recordsOf(statements.list.all({ userKey: userKey(userId) }))
    },

    pageByUser(userId, limit, after = '0') {
      const asked = { userKey: userKey(userId), after: Number(after), limit }
      const rows = statements.page.all(asked) as { at: number | bigint; id: string; record: string }[]
      return { records: recordsOf(rows), next: rows.length < limit ? undefined : String(rows.at(-1)?.at) }
    },

    scan(limit, after = FIRST_ID) {
      const rows = statements.scan.all({ after: idBytes(after), limit }) as { id: string; record: string }[]
      // Not by the reader: what a scan reads once must not push out what requests read.
      const records = Array.from(rows, (row) => decodeRecord(idText(row.id), row.record))
      return { records, next: rows.length < limit ? undefined : idText(rows.at(-1)!.id) }
    },

    count(now) {
      return Number((statements.count.get({ now }) as { count: number | bigint }).count)
    },

    deleteExpired(now, limit, onRemoved) {
      // Most calls find nothing to do. A read waits for no writer and costs no fsync.
      if (!statements.isAnyDue.get({ now })) return 0
      let removed: SessionRecord[] = []
      const count = transaction(() => {
        const putOff = Number(statements.putOff.run({ now, limit }).changes)
        const due = { now, limit: limit - putOff }
        if (onRemoved === undefined) return putOff + Number(statements.deleteDue.run(due).changes)
        removed = recordsOf(statements.takeDue.all(due))
        return putOff + removed.length
      })
      onRemoved?.(removed)
      return count
    },
  }
}

/**
 * `due_at` is when `deleteExpired` next looks at a row: never after `expires_at`, often before. A touch that
 * moves the deadline later leaves `due_at` alone, and so writes a row and no index. A row that is due and still
 * alive is put off to its deadline of that moment, which happens once in an idle timeout.
 */
function prepareStatements(database: SqliteDatabase, table: string) {
  const change = `UPDATE "${table}" SET version = @version, expires_at = @expiresAt, record = @record`
  const due = `SELECT rowid FROM "${table}" WHERE due_at <= @now ORDER BY due_at LIMIT @limit`
  const deleteDue = `DELETE FROM "${table}" WHERE rowid IN (${due}) AND expires_at <= @now`
  const sql = (statement: string) => database.prepare(statement)
  return {
    insert: sql(
      `INSERT INTO "${table}" (id, version, user_key, expires_at, due_at, record)
       VALUES (@id, @version, @userKey, @expiresAt, @expiresAt, @record)`,
    ),
    get: sql(`SELECT record FROM "${table}" WHERE id = @id`),
    // One question for many ids: it costs a fifth to a half of a question each.
    getMany: sql(
      `SELECT asked.key AS at, found.record AS record FROM json_each(@ids) AS asked
       JOIN "${table}" AS found ON found.id = unhex(asked.value, '-')`,
    ),
    update: sql(`${change} WHERE id = @id AND version = @ifVersion AND due_at <= @expiresAt`),
    updateToEarlier: sql(`${change}, due_at = @expiresAt WHERE id = @id AND version = @ifVersion`),
    delete: sql(`DELETE FROM "${table}" WHERE id = @id`),
    list: sql(`SELECT lower(hex(id)) AS id, record FROM "${table}" WHERE user_key = @userKey`),
    // By rowid, as the rows stand in the index of users: so a page costs what it returns.
    page: sql(
      `SELECT rowid AS at, lower(hex(id)) AS id, record FROM "${table}"
       WHERE user_key = @userKey AND rowid > @after ORDER BY rowid LIMIT @limit`,
    ),
    // By id and not by rowid, which a VACUUM may change between two pages.
    scan: sql(
      `SELECT lower(hex(id)) AS id, record FROM "${table}" WHERE id > @after ORDER BY id LIMIT @limit`,
    ),
    // A UUIDv8 is derived, and no session's.
    count: sql(
      `SELECT count(*) AS count FROM "${table}" WHERE expires_at > @now AND substr(hex(id), 13, 1) <> '8'`,
    ),
    isAnyDue: sql(`SELECT 1 FROM "${table}" WHERE due_at <= @now LIMIT 1`),
    putOff: sql(`UPDATE "${table}" SET due_at = expires_at WHERE rowid IN (${due}) AND expires_at > @now`),
    deleteDue: sql(deleteDue),
    takeDue: sql(`${deleteDue} RETURNING lower(hex(id)) AS id, record`),
  }
}

/** Comes before every id: where the first page of a scan begins. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/** The parameters that an insert and an update share. */
function contents(record: SessionRecord) {
  return {
    id: idBytes(record.id),
    version: record.version,
    expiresAt: record.expiresAt,
    record: encodeRecord(record),
  }
}

/**
 * A user id as JSON text, since clients cut plain text at a NUL and confuse lone surrogates. A hash is longer than
 * most ids, and each row holds it twice: in the table and in the index.
 */
function userKey(userId: string | undefined): string | null {
  return userId === undefined ? null : JSON.stringify(userId)
}

function isOne(result: { changes: number | bigint }): boolean {
  return Number(result.changes) === 1
}
