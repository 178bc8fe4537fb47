import { setImmediate as turn } from 'node:timers/promises'
import type { SessionStore } from 'express-sid'
import { load } from './built.js'
import { quantile } from './stats.js'

/** So long removal is watched: of ten million sessions, SQLite needs an hour to remove half at its gentle pace. */
const MAX_SECONDS = 600

/** Milliseconds. */
interface Stalls {
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

export interface SweepFigures {
  readonly seconds: number
  readonly removed: number
  readonly slices: Stalls
  readonly turns: Stalls
  readonly lookups: Stalls
}

/** The manager's own sweep over the expired half, while requests look sessions up: what do they notice? */
export async function watchSweep(
  build: string,
  store: SessionStore,
  pickId: () => string,
): Promise<SweepFigures> {
  const { createSessions } = await load(build, 'index')
  const slices: number[] = []
  const state = { removed: 0, isDone: false }
  const watched: SessionStore = {
    insert: (one) => store.insert(one),
    get: (id) => store.get(id),
    update: (one, ifVersion) => store.update(one, ifVersion),
    delete: (id) => store.delete(id),
    listByUser: (userId) => store.listByUser!(userId),
    deleteExpired(now, limit) {
      const start = performance.now()
      const count = store.deleteExpired!(now, limit) as number
      slices.push(performance.now() - start)
      state.removed += count
      state.isDone = count < limit
      return count
    },
  }
  const start = performance.now()
  const sessions = startAtOnce(() => createSessions({ store: watched }))
  const turns: number[] = []
  const lookups: number[] = []
  while (!state.isDone && performance.now() - start < MAX_SECONDS * 1000) {
    const before = performance.now()
    await turn()
    const asked = performance.now()
    void store.get(pickId())
    turns.push(performance.now() - before)
    lookups.push(performance.now() - asked)
  }
  const seconds = (performance.now() - start) / 1000
  await sessions.close()
  const { removed } = state
  return { seconds, removed, slices: stalls(slices), turns: stalls(turns), lookups: stalls(lookups) }
}

const stalls = (values: number[]): Stalls => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
  worst: quantile(values, 1),
})

/** The sweep waits a minute before its first step. Here the first step is at once. */
function startAtOnce<T>(start: () => T): T {
  const { setTimeout } = globalThis
  globalThis.setTimeout = ((step: () => void) => setTimeout(step, 0)) as typeof setTimeout
  const started = start()
  globalThis.setTimeout = setTimeout
  return started
}
