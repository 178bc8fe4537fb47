import { storeContract } from 'express-sid/testing'
import { createSessions, type SessionStore, type Sessions } from 'express-sid'

/** The cases of the contract about `hearEnds`. */
export function hearingContract(open: () => SessionStore) {
  return storeContract(open).filter(({ name }) => name.startsWith('hearEnds'))
}

/** Calls of a socket's `close`, with the time that the last one took from `since` on. */
export interface Watched {
  readonly calls: () => number
  readonly forget: () => void
  readonly ended: Promise<number>
}

/** Watches a session as a socket does. */
export function watch(sessions: Sessions, id: string): Watched {
  let calls = 0
  let settle!: (at: number) => void
  const ended = new Promise<number>((resolve) => (settle = resolve))
  const forget = sessions.onEnd(id, () => {
    calls += 1
    settle(performance.now())
  })
  return { calls: () => calls, forget, ended }
}

/** Two managers, as two processes have them. They look for sessions so rarely that only a channel can be fast. */
export function twoNodes(stores: readonly [SessionStore, SessionStore], heardWithin = '30s'): Sessions[] {
  return stores.map((store) => createSessions({ store, heardWithin }))
}
