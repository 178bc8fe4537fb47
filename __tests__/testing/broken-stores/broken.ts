import type { SessionStore } from '../../../src/store.js'
import { CorrectStore } from './correct-store.js'

/** What is different from the correct store, which it may call. */
export type Patch = (good: CorrectStore) => Partial<SessionStore>

export interface BrokenStore {
  /** What is wrong with it. */
  readonly fault: string
  /** The cases that must fail, by the beginnings of their names. */
  readonly breaks: readonly string[]
  readonly open: () => SessionStore
}

export function broken(
  fault: string,
  breaks: readonly string[],
  patch: Patch,
  make = () => new CorrectStore(),
): BrokenStore {
  const open = () => {
    const good = make()
    return Object.assign(Object.create(good) as CorrectStore, patch(good))
  }
  return { fault, breaks, open }
}
