import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { SessionStore } from 'express-sid'
import { wrapped } from './stores.js'

/** What grows when a store does not answer. */
export interface AppState {
  /** Calls that the store has not answered yet: what waits in its client. */
  readonly unanswered: number
  /** Bytes that are in use after a collection. */
  readonly heap: number
  /** Bytes that the process has. */
  readonly rss: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The store, with its unanswered calls counted. */
export function inspect(store: SessionStore): { store: SessionStore; state: () => AppState } {
  let unanswered = 0
  const counting = wrapped(store, (_, method) => (...args) => {
    const answer = method(...args)
    if (!(answer instanceof Promise)) return answer
    unanswered += 1
    return answer.finally(() => (unanswered -= 1))
  })
  const state = () => {
    collectGarbage()
    const { heapUsed: heap, rss } = process.memoryUsage()
    return { unanswered, heap, rss }
  }
  return { store: counting, state }
}
