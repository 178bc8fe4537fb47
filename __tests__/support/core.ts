import type { Client } from '../../src/core/client/client.js'
import type { EventName, SessionEvents } from '../../src/core/events/types.js'
import type { Started } from '../../src/core/beginning.js'
import { Engine } from '../../src/core/engine.js'
import type { Verdict } from '../../src/core/verdict.js'
import { SessionManager, type Sessions } from '../../src/core/sessions.js'
import type { Settings } from '../../src/core/settings.js'
import { isToken, splitToken, type Token } from '../../src/core/token.js'
import type { JsonObject, SessionRecord } from '../../src/record.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { chrome } from './people.js'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The defaults of the package, on a memory store. */
export function settingsWith(overrides: Partial<Settings> = {}): Settings {
  return {
    store: memoryStore(),
    idleTimeout: 7 * DAY,
    absoluteTimeout: 30 * DAY,
    guestIdleTimeout: HOUR,
    touchInterval: MINUTE,
    storeTimeout: 2 * SECOND,
    heardWithin: 30 * SECOND,
    maxDataBytes: 65_536,
    onClientChange: { engine: 'refuse', network: 'report' },
    rotateEvery: false,
    rotationGrace: 5 * MINUTE,
    onReuse: 'end',
    whenFull: 'endOldest',
    actingTimeout: HOUR,
    loadUser: undefined,
    userId: undefined,
    serializeUser: undefined,
    ...overrides,
  }
}

/** A manager with its engine, and what a request with a token gets of them. */
export function makeCore(settings: Settings) {
  const engine = new Engine(settings)
  const sessions = new SessionManager(engine)
  const identify = (values: readonly string[], client: Client = chrome) =>
    new Promise<Verdict>((resolve) =>
      engine.identify(values.filter(isToken), { client: () => client, takesToken: () => true }, resolve),
    )
  /** The record that a request with this token may use; 'refused' where the client may not. Rejects where the lookup failed. */
  const use = async ({ token }: { token: string }, client?: Client) => {
    const { record, held, failure } = await identify([token], client)
    if (failure !== undefined) throw failure
    return record ?? (held.length > 0 ? ('refused' as const) : undefined)
  }
  const changeData = (record: SessionRecord, edit: (data: JsonObject) => JsonObject, client: Client) =>
    engine.change(record, withData(edit), client)
  return { engine, sessions, identify, use, changeData }
}

/** A change of the data as a change of the record. */
function withData(edit: (data: JsonObject) => JsonObject) {
  return (record: SessionRecord) => {
    const data = edit(record.data)
    return data === record.data ? record : { ...record, data }
  }
}

export { ann, bob, chrome, chromeElsewhere, firefox, newerChrome } from './people.js'

/** The parts of a text that may be no token: then there are none. */
export function parseToken(text: string): Token | undefined {
  return isToken(text) ? splitToken(text) : undefined
}

/** The parts of a token that was just issued. */
export function tokenOf({ token }: Started): Token {
  const parsed = parseToken(token)
  if (parsed === undefined) throw new Error('the core issued a token that it does not accept')
  return parsed
}

/** The same session's id with a secret that somebody made up. */
export function forged(started: Started): { token: string } {
  return { token: `${started.record.id}.${'A'.repeat(65)}` }
}

export type Seen = {
  [Name in EventName]: { name: Name; event: SessionEvents[Name] }
}[EventName]

const eventNames: Record<EventName, true> = {
  login: true,
  adopt: true,
  logout: true,
  revoke: true,
  expire: true,
  credentialsChanged: true,
  actAs: true,
  stopActing: true,
  actAsRefused: true,
  rotate: true,
  rotationUnused: true,
  reuse: true,
  bind: true,
  stale: true,
  loginRefused: true,
  clientChange: true,
  storeError: true,
  unawaited: true,
}

/** Everything that a manager tells its listeners from now on. */
export function eventsOf(sessions: Pick<Sessions, 'on'>): Seen[] {
  const seen: Seen[] = []
  for (const name of Object.keys(eventNames) as EventName[]) {
    sessions.on(name, (event) => seen.push({ name, event } as Seen))
  }
  return seen
}

/** Only the clock stands still; promises, timers and turns go on. `jest.setSystemTime` moves it. */
export function stopTheClock(now: number | Date = new Date('2026-01-01T00:00:00Z')): void {
  jest.useFakeTimers({
    now,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  })
}

export function moveTheClock(ms: number): void {
  jest.setSystemTime(Date.now() + ms)
}

/** What a promise was rejected with; fails where it was not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let answer: unknown
  try {
    answer = await promise
  } catch (error) {
    return error
  }
  throw new Error(`expected a rejection, and got ${String(answer)}`)
}
