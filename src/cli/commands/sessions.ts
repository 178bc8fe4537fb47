import { infoOf } from '../../core/info.js'
import { createSessions, type SessionInfo, type Sessions } from '../../index.js'
import { isDerivedId, isSessionId } from '../../lib/uuid.js'
import { isSessionRecord } from '../../record.js'
import type { ScannableStore } from '../../store.js'
import type { Context } from '../context.js'
import { CliError, type Result } from '../io.js'

/** The options of the commands that look into one store. */
export interface StoreOption {
  readonly store?: string | undefined
}

const open = async (context: Context, { store }: StoreOption) =>
  (await context.store(store, 'store', 'EXPRESS_SID_STORE')).store

/** A manager for one command. */
async function withSessions<T>(store: ScannableStore, work: (sessions: Sessions) => Promise<T>): Promise<T> {
  const sessions = createSessions({ store })
  try {
    return await work(sessions)
  } finally {
    await sessions.close()
  }
}

/** How many live sessions there are, of everybody or of one user. */
export async function count(
  context: Context,
  user: string | undefined,
  options: StoreOption,
): Promise<Result> {
  const store = await open(context, options)
  const sessions =
    user === undefined
      ? await store.count(Date.now())
      : await withSessions(store, async (manager) => (await manager.list(user)).length)
  return { json: { sessions }, lines: [String(sessions)] }
}

export interface ListOptions extends StoreOption {
  readonly limit: string
}

/** The sessions of a user, or the first ones of the store. */
export async function list(
  context: Context,
  user: string | undefined,
  options: ListOptions,
): Promise<Result> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw new CliError('BAD_OPTION', '--limit must be a number from 1 on.')
  const store = await open(context, options)
  const found =
    user === undefined
      ? await firstOf(store, limit)
      : await withSessions(store, async (manager) => (await manager.list(user)).slice(0, limit))
  const sessions = found.map(shown)
  return { json: { sessions }, lines: sessions.length === 0 ? ['No sessions.'] : tableOf(sessions) }
}

async function firstOf(store: ScannableStore, limit: number): Promise<SessionInfo[]> {
  const found = new Map<string, SessionInfo>()
  let after: string | undefined
  do {
    const { records, next } = await store.scan(Math.min(limit, 500), after)
    for (const record of records) {
      const isSession = isSessionRecord(record) && !isDerivedId(record.id)
      if (isSession && record.expiresAt > Date.now() && record.endedBy === undefined) {
        found.set(record.id, infoOf(record, false, record.binding?.state === 'bound'))
      }
    }
    after = next
  } while (after !== undefined && found.size < limit)
  return [...found.values()].slice(0, limit)
}

/** Without what the app keeps of its users: that is not ours to print. */
function shown({ id, userId, label, ip, createdAt, lastSeenAt, expiresAt, isBound }: SessionInfo) {
  const time = (ms: number) => new Date(ms).toISOString()
  return {
    id,
    userId: userId ?? null,
    client: label,
    address: ip,
    createdAt: time(createdAt),
    lastSeenAt: time(lastSeenAt),
    expiresAt: time(expiresAt),
    isBound,
  }
}

function tableOf(sessions: readonly ReturnType<typeof shown>[]): string[] {
  const rows = [
    ['SESSION', 'USER', 'CLIENT', 'ADDRESS', 'LAST SEEN'],
    ...sessions.map((one) => [
      one.id,
      one.userId === null ? '(guest)' : printable(String(one.userId)),
      printable(one.client),
      printable(one.address),
      one.lastSeenAt,
    ]),
  ]
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd(),
  )
}

/** A user's id is any text: control characters in it must not move the cursor of a terminal. */
function printable(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Ends one session. */
export async function revoke(context: Context, id: string, options: StoreOption): Promise<Result> {
  if (!isSessionId(id)) {
    throw new CliError(
      'BAD_OPTION',
      'revoke takes the id of a session, as list and the events show it. It is no token.',
    )
  }
  const store = await open(context, options)
  const revoked = await withSessions(store, (manager) => manager.revoke(id))
  const line = revoked ? `Session ${id} has ended.` : `There is no session ${id}.`
  return { json: { revoked }, lines: [line], exitCode: revoked ? 0 : 1 }
}

export interface RevokeAllOptions extends StoreOption {
  readonly except?: string | undefined
  readonly everyone?: boolean | undefined
  readonly yes?: boolean | undefined
}

/** Ends all sessions of a user, or of everybody. */
export async function revokeAll(
  context: Context,
  user: string | undefined,
  options: RevokeAllOptions,
): Promise<Result> {
  if ((user === undefined) !== (options.everyone === true)) {
    throw new CliError('BAD_OPTION', 'Say whose sessions: revoke-all USER, or revoke-all --everyone.')
  }
  const store = await open(context, options)
  let revoked: number
  if (user === undefined) {
    await context.assertMeant(options.yes, 'This logs everybody out. Go on?')
    revoked = await endEverything(store)
  } else {
    revoked = await withSessions(store, (manager) => manager.revokeAll(user, { except: options.except }))
  }
  return {
    json: { revoked },
    lines: [`${revoked} ${revoked === 1 ? 'session has' : 'sessions have'} ended.`],
  }
}

async function endEverything(store: ScannableStore): Promise<number> {
  let ended = 0
  let after: string | undefined
  do {
    const { records, next } = await store.scan(500, after)
    const ends = await Promise.all(records.map(async ({ id }) => store.delete(id)))
    // What is kept of a user for all of their sessions goes too, and is none of them.
    ended += records.filter(({ id }, at) => ends[at] && !isDerivedId(id)).length
    after = next
  } while (after !== undefined)
  return ended
}

/** Removes what has expired. */
export async function prune(context: Context, options: StoreOption): Promise<Result> {
  const store = await open(context, options)
  if (store.deleteExpired === undefined) {
    return {
      json: { removed: 0, expiresByItself: true },
      lines: ['Redis forgets by itself what has expired.'],
    }
  }
  const now = Date.now()
  const before = await store.count(0)
  // In the steps of the manager's own sweep, so that no request waits for long.
  while ((await store.deleteExpired(now, 100)) === 100);
  const removed = Math.max(0, before - (await store.count(0)))
  return {
    json: { removed },
    lines: [`${removed} expired ${removed === 1 ? 'session' : 'sessions'} removed.`],
  }
}
