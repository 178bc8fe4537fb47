import { unusedId } from './unused-id.js'
import type { OpenedStore } from '../stores/open.js'
import { problem, warning, type Finding } from './finding.js'

const SAMPLES = 20
const SLOW_MS = 50
const CLOCK_MS = 60_000
const HOUR = 3_600_000

/** What a look at a store has shown. */
export interface StoreReport {
  readonly server: string
  readonly schema: number | null
  readonly sessions: number
  readonly latencyMs: number
  readonly findings: readonly Finding[]
}

/** Looks at a store and its server. Nothing is written. */
export async function examineStore(opened: OpenedStore): Promise<StoreReport> {
  const { store } = opened
  const { server, schema, findings } = await opened.facts()
  const sessions = await store.count(Date.now())
  const latencyMs = await latencyOf(store)
  const found: Finding[] = [...findings]
  if (latencyMs > SLOW_MS) {
    found.push(
      warning(
        'slow',
        `A lookup takes ${Math.round(latencyMs)} ms, and every request needs one. Bring the store near the app, and see ` +
          `what keeps its server busy.`,
      ),
    )
  }
  found.push(...(await ofRecords(store)))
  return { server, schema: schema ?? null, sessions, latencyMs, findings: found }
}

/** The median of some lookups of nothing. */
async function latencyOf(store: OpenedStore['store']): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < SAMPLES; count += 1) {
    const began = performance.now()
    await store.get(unusedId(count))
    times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)[SAMPLES / 2]!
}

async function ofRecords(store: OpenedStore['store']): Promise<Finding[]> {
  const found: Finding[] = []
  const now = Date.now()
  const { records } = await store.scan(1_000)
  const ahead = Math.max(0, ...records.map(({ lastSeenAt }) => (lastSeenAt ?? 0) - now))
  if (ahead > CLOCK_MS) {
    found.push(
      problem(
        'clock',
        `A session was last seen ${Math.round(ahead / 60_000)} min from now: the clock of a node is ahead, or the one here ` +
          `is behind. Let all of them follow one time server (NTP).`,
      ),
    )
  }
  if (store.deleteExpired === undefined) return found
  const overdue = (await store.count(0)) - (await store.count(now - HOUR))
  if (overdue > 1_000) {
    found.push(
      warning(
        'not-swept',
        `${overdue} sessions expired more than an hour ago and are still there. A running app removes them. Run express-sid ` +
          `prune, and see that a manager stays open.`,
      ),
    )
  }
  return found
}
