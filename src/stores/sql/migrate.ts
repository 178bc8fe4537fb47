import { SessionError } from '../../errors.js'
import { boolean } from '../../lib/options/option-kinds.js'

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

/** The option `migrate`. */
export const migrateOption = {
  kind: boolean(),
  default: true,
  doc: 'whether the store makes its tables when they are missing',
} as const

/**
 * Returns a function that brings the tables to the version of this package. It does so at the first call, and again
 * after a failure: so a database that is away at the start needs no restart of the application.
 *
 * @example const open = opener(schema); await open()
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
    // "If not exists" takes no lock: of processes that start together all but one may fail. They find it done
    // the second time; a failure with another reason fails again.
    await run(statement).catch(() => run(statement))
  }
}

/**
 * The statements as one text, for those who run their own migrations.
 *
 * @example printed([['CREATE TABLE a (b int)']]) // 'CREATE TABLE a (b int);\n'
 */
export function printed(migrations: Schema['migrations']): string {
  return migrations
    .flat()
    .map((statement) => `${statement};\n`)
    .join('\n')
}
