import { setTimeout as pause } from 'node:timers/promises'
import { violations, type Operation, type Violation } from './history.js'
import { eventually } from './redis-servers.js'
import { Visitor } from './visitor.js'
import { Workload } from './workload.js'

/** What apps in these tests get as `storeTimeout`, in milliseconds. */
export const STORE_TIMEOUT = 500

/** Store calls that one request makes after another at most. Each has a deadline of its own. */
const calls: Record<Operation['kind'], number> = {
  // To keep it.
  login: 1,
  // The lookup, a touch.
  read: 2,
  // … and the deletion, or the change with its retries.
  logout: 3,
  count: 4,
  // … and the list, the others, itself.
  revoke: 5,
}

/** For the app and the test, on a machine that is busy. */
const SLACK_MS = 3_000

/** After so many milliseconds every request is answered, or late. */
export const LONGEST_ANSWER = Math.max(...Object.values(calls)) * STORE_TIMEOUT + SLACK_MS

/** How often all must work without one refusal, before a store counts as back. */
const ROUNDS = 5

/** What clients saw before, during and after a fault. */
export interface Report {
  /** Answers that no app may give. */
  readonly wrong: readonly string[]
  readonly violations: readonly Violation[]
  /** Requests that were not answered, or later than their deadlines allow. */
  readonly late: readonly Operation[]
  /** The answers to requests that began during the fault, by kind and result: `read in`, `count failed`. */
  readonly during: ReadonlySet<string>
}

/**
 * Puts a load on each of the stores of one server, runs `fault`, which ends when whatever it broke is mended, and
 * waits until all of them work again.
 * @throws Error when one of them never does.
 */
export async function underFault(
  urls: readonly string[],
  fault: (loads: readonly Workload[]) => Promise<void>,
): Promise<Report[]> {
  const loads = urls.map((url) => new Workload([url], { thinks: 30 }))
  const running = Promise.all(loads.map((load) => load.run(4)))
  try {
    await Promise.all(loads.map((load) => load.haveEach(3)))
    const from = performance.now()
    await fault(loads)
    const to = performance.now()
    await Promise.all(urls.map((url) => eventually(() => works(url))))
    await pause(500)
    for (const load of loads) load.stop()
    await running
    await Promise.all(loads.map((load) => load.readAll()))
    // At rest, where a busy machine is no excuse: one connection of a pool that stays broken shows here.
    await Promise.all(urls.map((url) => eventually(() => worksInRow(url))))
    return loads.map((load) => reportOf(load, from, to))
  } finally {
    for (const load of loads) load.stop()
  }
}

function reportOf({ history, wrong }: Workload, from: number, to: number): Report {
  const during = history.filter(({ start }) => start > from && start < to)
  return {
    wrong,
    violations: violations(history),
    late: history.filter(({ kind, start, end }) => end - start > calls[kind] * STORE_TIMEOUT + SLACK_MS),
    during: new Set(during.map(({ kind, result }) => `${kind} ${result}`)),
  }
}

async function worksInRow(url: string): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round += 1) if (!(await works(url))) return false
  return true
}

/** Logins, counts and logouts succeed, on all servers of a Cluster. */
async function works(url: string): Promise<boolean> {
  const visits = Array.from({ length: 8 }, async (_, number) => {
    const visitor = new Visitor(url)
    const login = await visitor.login().send({ id: `visitor-${number}` })
    const count = await visitor.post('/count')
    const logout = await visitor.logout()
    return login.ok && count.ok && logout.ok
  })
  return (await Promise.all(visits)).every(Boolean)
}
