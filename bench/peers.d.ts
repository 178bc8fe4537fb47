// The few types that the benchmark uses of packages that are installed in bench/ only: `npm run types` must pass
// where nobody has installed them.
declare module 'better-auth' {
  export function betterAuth(options: object): {
    options: object
    api: {
      signUpEmail(request: { body: object; returnHeaders: true }): Promise<{ headers: Headers }>
      getSession(request: { headers: Headers }): Promise<{ user: { email: string; name: string } } | null>
    }
  }
}

declare module 'better-auth/db/migration' {
  export function getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>
}

declare module 'better-auth/node' {
  export function fromNodeHeaders(headers: object): Headers
}

declare module 'connect-pg-simple' {
  import type session from 'express-session'

  export default function connectPgSimple(module: typeof session): new (options: object) => session.Store & {
    close(): Promise<void>
  }
}

declare module 'connect-redis' {
  import type { Store } from 'express-session'

  export const RedisStore: new (options: { client: object; prefix: string }) => Store
}

declare module 'cookie-session' {
  import type { RequestHandler } from 'express'

  export default function cookieSession(options: object): RequestHandler
}

declare module 'iron-session' {
  export function getIronSession<Data extends object>(
    req: object,
    res: object,
    options: object,
  ): Promise<Data & { save(): Promise<void> }>
}

// Node 24 has it; the project's types are those of the oldest Node that it supports.
declare module 'node:sqlite' {
  import type { SqliteDatabase } from 'express-sid/sqlite'

  export class DatabaseSync implements SqliteDatabase {
    constructor(file: string)
    exec: SqliteDatabase['exec']
    prepare: SqliteDatabase['prepare']
    close(): void
  }
}
