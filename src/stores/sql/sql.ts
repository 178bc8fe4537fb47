import { hash } from 'node:crypto'
import { unknownNames } from '../../lib/did-you-mean.js'
import { SessionError } from '../../errors.js'

/**
 * What the stores in SQL databases on the network have in common. Both keep a row of these columns:
 *
 * - `id`: the session id, as 16 bytes.
 * - `version`: what `update` compares.
 * - `user_key`: the SHA-256 of the user id, so that any string is a key of one length and no collation takes
 *   two users for one. Null for a guest.
 * - `expires_at`: the record's deadline, in epoch milliseconds.
 * - `due_at`: when `deleteExpired` next looks at the row: never after `expires_at`, often before. It is the
 *   indexed one. A touch moves `expires_at` and leaves it alone, and so writes to no index; a row that is due
 *   and still alive is put off to its deadline of that moment, about once in an idle timeout.
 * - `record`: the record as JSON. Nothing is read from the other columns but the id.
 *
 * Every operation is one statement on rows named by their primary key, or one whose effect does not depend on
 * an earlier one. So READ COMMITTED is enough, no transaction is ever open while the database waits for this
 * process, and nothing is left behind on a pooled connection.
 */

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether it can be a session's id. Anything else is asked for as NULL, which equals no key and can't be one. */
export function isId(id: string): boolean {
  return uuid.test(id)
}

/** The `user_key` of a user id. Of its JSON text, since UTF-8 has one replacement for all lone surrogates. */
export function userKey(userId: string | undefined): Buffer | null {
  return userId === undefined ? null : hash('sha256', JSON.stringify(userId), 'buffer')
}

/**
 * Checks options by name and type.
 *
 * @throws SessionError OPTION_INVALID, with the name that was probably meant.
 */
export function checkOptions(
  store: string,
  options: unknown,
  known: Readonly<Record<string, 'string' | 'boolean'>>,
): void {
  if (typeof options !== 'object' || options === null) {
    throw new SessionError('OPTION_INVALID', `${store}: the second argument must be an object of options.`)
  }
  unknownNames(options, Object.keys(known), store)
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === known[name]) continue
    throw new SessionError('OPTION_INVALID', `${store}: the option "${name}" must be a ${known[name]}.`)
  }
}

/** How a store learns of the state of its tables and changes it. */
export interface Schema {
  /** The function of the store, for messages. */
  readonly store: string
  /** The version of the tables that are there; 0 where there are none. */
  readonly readVersion: () => Promise<number>
  /** At index n the statements from version n to n + 1. Each can be run again when it was run before. */
  readonly migrations: readonly (readonly string[])[]
  readonly run: (statement: string) => Promise<unknown>
  /** Whether the store may change tables. */
  readonly migrate: boolean
}

/**
 * Answers a function that brings the tables to the version of this package when it is called first, and again
 * after a failure: so a database that is away at the start needs no restart of the application.
 */
export function opener(schema: Schema): () => Promise<void> {
  let opening: Promise<void> | undefined
  return () =>
    (opening ??= open(schema).catch((error: unknown) => {
      opening = undefined
      throw error
    }))
}

async function open({ store, readVersion, migrations, run, migrate }: Schema): Promise<void> {
  const wanted = migrations.length
  const found = await readVersion()
  if (found === wanted) return
  if (found > wanted) {
    throw new SessionError(
      'STORE_FAILED',
      `${store}: a newer express-sid has brought its tables to schema ${found}; this one knows ${wanted}. ` +
        'Update express-sid, or use another table.',
    )
  }
  if (!migrate) {
    throw new SessionError(
      'STORE_FAILED',
      `${store}: its tables are missing or of an older version, and migrate is false. ` +
        `Run the SQL that ${store.replace('Store', 'Migrations')}() prints.`,
    )
  }
  for (const statement of migrations.slice(found).flat()) {
    // "If not exists" is no lock: of processes that start together all but one may fail. Those find it done
    // the second time; a failure with another reason fails again.
    await run(statement).catch(() => run(statement))
  }
}
