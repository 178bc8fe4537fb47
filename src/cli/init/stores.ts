/** What a store needs in the app. */
export interface StoreTemplate {
  /** The packages to install. */
  readonly packages: readonly string[]
  /** What is imported: names from packages. */
  readonly imports: readonly (readonly [names: string, from: string])[]
  /** The lines that make `store`. */
  readonly lines: readonly string[]
}

/** The stores that `init` can set up. */
export const storeTemplates: Readonly<Record<string, StoreTemplate>> = {
  memory: {
    packages: [],
    imports: [['{ memoryStore }', 'express-sid']],
    lines: [
      '// A restart logs everybody out. For production, see docs/stores.md of express-sid.',
      'const store = memoryStore()',
    ],
  },
  sqlite: {
    packages: ['libsql'],
    imports: [
      ['Database', 'libsql'],
      ['{ sqliteStore }', 'express-sid/sqlite'],
    ],
    lines: ["const store = sqliteStore(new Database(process.env.SESSIONS_FILE ?? 'sessions.sqlite'))"],
  },
  redis: {
    packages: ['redis'],
    imports: [
      ['{ createClient }', 'redis'],
      ['{ redisStore }', 'express-sid/redis'],
    ],
    lines: [
      'const client = createClient({ url: process.env.REDIS_URL })',
      'const store = redisStore(client)',
      "client.connect().catch((error) => console.error('Redis:', error.message))",
    ],
  },
  postgres: {
    packages: ['pg'],
    imports: [
      ['{ Pool }', 'pg'],
      ['{ postgresStore }', 'express-sid/postgres'],
    ],
    lines: ['const store = postgresStore(new Pool({ connectionString: process.env.DATABASE_URL }))'],
  },
  mysql: {
    packages: ['mysql2'],
    imports: [
      ['{ createPool }', 'mysql2'],
      ['{ mysqlStore }', 'express-sid/mysql'],
    ],
    lines: ['const store = mysqlStore(createPool(process.env.DATABASE_URL))'],
  },
}
