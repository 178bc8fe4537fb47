import { listenForErrors } from '../../lib/error-listener.js'
import { boolean, that } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions, type Values } from '../../lib/options/options.js'
import { detached } from '../../lib/text/detached.js'
import { isSessionId } from '../../lib/uuid.js'
import { encodeRecord, type SessionRecord } from '../../record.js'
import type { ScannableStore, SessionStore } from '../../store.js'
import { endsChannel } from '../ends-channel.js'
import { userKey } from '../sql/keys.js'
import { migrateOption, opener } from '../sql/migrate.js'
import { FIRST_ID, inOrder, pageOf, recordOf, whyNotWritten, type TextRow } from '../sql/rows.js'
import { lineOpener, type PostgresListener } from './ends-line.js'
import { checkPool, readVersion, sender, type PostgresPool } from './client.js'
import {
  migrationsOf,
  postgresTables,
  tableOptions,
  type PostgresTableOptions,
  type PostgresTables,
} from './schema.js'

export type { PostgresPool } from './client.js'
export type { PostgresListener } from './ends-line.js'
export { postgresMigrations, type PostgresTableOptions } from './schema.js'

/** The options of `postgresStore()`. All are optional; all are checked at start. */
export interface PostgresStoreOptions extends PostgresTableOptions {
  /**
   * Whether the store makes its tables when they are missing, before its first call. With `false` it never
   * changes a table, and `postgresMigrations()` prints the SQL to run. Default true.
   */
  migrate?: boolean | undefined
  /**
   * Whether statements are prepared by name, which saves up to half the time of a lookup. Set it to `false` behind a
   * pooler that can't keep them apart, such as PgBouncer before 1.21 in transaction mode. Default true.
   */
  prepared?: boolean | undefined
  /**
   * Notifies of the id of each session that ends (`NOTIFY`), so that `sessions.onEnd()` hears it at once in every process.
   * A process in which something is watched listens by a client of its own: one made as the pool makes its clients, or
   * the one that a function makes. Give a function behind a pooler such as PgBouncer in transaction mode, which lets
   * nobody listen: it must reach the database itself. Default false: nothing is sent.
   */
  heardEverywhere?: boolean | (() => PostgresListener) | undefined
}

const postgresOptions = {
  ...tableOptions,
  migrate: migrateOption,
  prepared: { kind: boolean(), default: true, doc: 'whether statements are prepared by name' },
  heardEverywhere: {
    kind: that(
      (value): value is boolean | (() => PostgresListener) =>
        typeof value === 'boolean' || typeof value === 'function',
      'a boolean, or a function that makes a client of pg',
    ),
    default: false,
    doc: 'tells all processes at once which sessions end',
  },
} as const

/**
 * Keeps sessions in PostgreSQL 12 or later. The pool is the application's: it is never closed here. If it has no
 * listener for `error` events, an empty one is added, since Node would end the process when the server closes an
 * idle connection; the next call opens a new one.
 *
 * The pool must reach the primary: a replica that lags would find sessions that have been ended.
 *
 * @throws SessionError OPTION_INVALID for a client or an option that can't be used.
 * @example sessionMiddleware({ store: postgresStore(new Pool({ connectionString })) })
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): ScannableStore {
  checkPool(pool)
  const settings = readOptions(options, ofStore('postgresStore'), postgresOptions)
  const tables = postgresTables(settings)
  const { heardEverywhere } = settings
  const channel = heardEverywhere === false ? undefined : channelOf(settings.table)
  const statements = statementsOf(tables.sessions, connect(pool, tables, settings), channel)
  listenForErrors(pool)

  async function get(id: string) {
    const [row] = await statements.get(key(id))
    return row && recordOf(row)
  }

  return {
    get,

    async insert(record) {
      await statements.insert(...contents(record), userKey(record.userId))
    },

    async getMany(ids) {
      return inOrder(ids, await statements.getMany(ids.map(key)))
    },

    async update(record, ifVersion) {
      const update = record.endedBy === undefined ? statements.update : statements.updateToEnd
      if ((await update(...contents(record), ifVersion)).length > 0) return 'ok'
      return whyNotWritten(await get(record.id))
    },

    async delete(id) {
      return (await statements.delete(key(id))).length > 0
    },

    ...(channel !== undefined && heardEverywhere !== false && hearing(pool, channel, heardEverywhere)),

    async listByUser(userId) {
      return (await statements.list(userKey(userId))).map(recordOf)
    },

    async pageByUser(userId, limit, after = FIRST_ID) {
      return pageOf(await statements.page(userKey(userId), key(after), limit), limit)
    },

    async scan(limit, after = FIRST_ID) {
      return pageOf(await statements.scan(key(after), limit), limit)
    },

    async count(now) {
      return Number((await statements.count(now))[0]?.record)
    },

    async deleteExpired(now, limit, onRemoved) {
      const rows = await (onRemoved ? statements.takeDue : statements.deleteDue)(now, limit)
      onRemoved?.(rows.map(recordOf))
      const removed = rows.length
      if (removed === limit) return limit
      // What is still due is alive. It is the first that the next statement finds.
      return removed + (await statements.putOff(now, limit - removed)).length
    },
  }
}

/** The id as Postgres writes it. Any other text becomes NULL, which equals no key. */
function key(id: string): string | null {
  // A copy: while the server is away, the client's queue must not keep whole Cookie headers.
  return isSessionId(id) ? detached(id) : null
}

/** The parameters that an insert and an update share. */
function contents(record: SessionRecord) {
  return [key(record.id), record.version, record.expiresAt, encodeRecord(record)] as const
}

type Statement = (...values: unknown[]) => Promise<TextRow[]>

/** Returns what makes a statement of a text. Each statement waits until the tables are there. */
function connect(pool: PostgresPool, tables: PostgresTables, settings: Values<typeof postgresOptions>) {
  const send = sender(pool, settings.prepared)
  const open = opener({
    store: 'postgresStore',
    readVersion: () => readVersion(pool, tables.version),
    migrations: migrationsOf(tables),
    run: (text) => pool.query(text, []),
    migrate: settings.migrate,
  })
  return (text: string): Statement => {
    const sendText = send(text)
    return async (...values) => {
      await open()
      return sendText(values)
    }
  }
}

/** A name that needs no quotes. Tables may share it: the ids of others do no harm, since nobody watches them. */
function channelOf(table: string): string {
  return `${table.replaceAll(/\W/g, '_')}_ended`
}

/** The method `hearEnds`. A client that can't listen is refused here, at the start. */
function hearing(
  pool: PostgresPool,
  channel: string,
  given: true | (() => PostgresListener),
): Pick<SessionStore, 'hearEnds'> {
  const open = lineOpener(pool, given)
  return { hearEnds: (listener) => endsChannel((events) => open(channel, events), listener) }
}

/** @param channel where the end of a session is told, in the same statement, so that no crash lies in between. */
function statementsOf(sessions: string, statement: (text: string) => Statement, channel: string | undefined) {
  const telling = (change: string) =>
    channel === undefined
      ? change
      : `WITH ended AS (${change}) SELECT id::text AS id, pg_notify('${channel}', id::text) FROM ended`
  const update = `UPDATE ${sessions} SET version = $2, expires_at = $3, due_at = LEAST(due_at, $3), record = $4
       WHERE id = $1 AND version = $5 RETURNING id`
  // As text: an application may have its own parser of UUIDs, or a pool that reads them as bytes.
  const select = `SELECT id::text AS id, record FROM ${sessions}`
  // Rows that another process is working on are skipped, not waited for, so that sweeps can't deadlock.
  // Materialized: otherwise a plan may look for what is due several times and find more than the limit.
  const due = `WITH due AS MATERIALIZED (
    SELECT id, expires_at FROM ${sessions} WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)`
  const deleteDue = `${due} DELETE FROM ${sessions} WHERE id IN (SELECT id FROM due WHERE expires_at <= $1)`
  return {
    insert: statement(
      `INSERT INTO ${sessions} (id, version, expires_at, due_at, record, user_key)
       VALUES ($1, $2, $3, $3, $4, $5)`,
    ),
    get: statement(`${select} WHERE id = $1`),
    getMany: statement(`${select} WHERE id = ANY($1::uuid[])`),
    update: statement(update),
    updateToEnd: statement(telling(update)),
    delete: statement(telling(`DELETE FROM ${sessions} WHERE id = $1 RETURNING id`)),
    list: statement(`${select} WHERE user_key = $1`),
    page: statement(`${select} WHERE user_key = $1 AND id > $2 ORDER BY id LIMIT $3`),
    scan: statement(`${select} WHERE id > $1 ORDER BY id LIMIT $2`),
    count: statement(
      // A UUIDv8 is derived, and no session's.
      `SELECT count(*)::text AS record FROM ${sessions} WHERE expires_at > $1 AND substr(id::text, 15, 1) <> '8'`,
    ),
    deleteDue: statement(`${deleteDue} RETURNING id`),
    takeDue: statement(`${deleteDue} RETURNING id::text AS id, record`),
    putOff: statement(
      `${due} UPDATE ${sessions} SET due_at = expires_at
       WHERE id IN (SELECT id FROM due WHERE expires_at > $1) RETURNING id`,
    ),
  }
}
