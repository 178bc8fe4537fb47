import { createSessions, type Sessions, type SessionLifetime } from 'express-sid'
import { sqliteStore } from 'express-sid/sqlite'
import type Database from 'libsql'
import type { Request } from 'express'
import type { Account, Accounts } from './accounts.js'

/** With the box ticked, a login lasts. Without it, it ends with the window of the browser, or when it is not used. */
const remembered: SessionLifetime = { idle: '30d', absolute: '90d', persistent: true }
const thisWindow: SessionLifetime = { idle: '15m', absolute: '12h', persistent: false }

/**
 * The sessions of the demo. They keep the id of the user alone: who that is, `loadUser` reads anew for each request.
 *
 * @param idle how long a login without "remember me" may be left alone; a test can't wait for a quarter of an hour.
 */
export function sessionsOf(
  database: InstanceType<typeof Database>,
  accounts: Accounts,
  idle?: string,
): Sessions {
  const short = idle === undefined ? thisWindow : { ...thisWindow, idle }
  return createSessions({
    store: sqliteStore(database),
    loadUser: (id: number) => accounts.find(id),
    lifetime: (_user, req) =>
      (req as Request<object, object, { remember?: string }>).body?.remember === 'yes' ? remembered : short,
    maxSessions: 10,
    mayActAs: (actor: Account, user: Account) => actor.role === 'support' && user.role === 'member',
    actingTimeout: '30m',
    // An open page keeps no session alive by itself.
    touch: (req) => req.path !== '/live',
    describeAddress: (ip) => (ip === '127.0.0.1' || ip === '::1' ? 'This computer' : undefined),
  })
}
