import { tell } from '../events/tell.js'

interface One {
  readonly closers: Set<() => void>
  /** When to look at it again: its deadline, as far as that is known. */
  lookAt: number
}

/** The sessions that are watched, each with what to call at its end. */
export class WatchedSessions {
  readonly #byId = new Map<string, One>()

  get size(): number {
    return this.#byId.size
  }

  /** Adds what is called once at the end. Returns what takes it away again. */
  add(id: string, close: () => unknown): () => void {
    const one = this.#byId.get(id) ?? { closers: new Set(), lookAt: 0 }
    this.#byId.set(id, one)
    const closer = () => tell('sessions.onEnd()', close)
    one.closers.add(closer)
    return () => {
      one.closers.delete(closer)
      // Another one may be there by now, under the same id.
      if (one.closers.size === 0 && this.#byId.get(id) === one) this.#byId.delete(id)
    }
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Calls what was added for this session, and forgets it: so nothing is called twice. */
  end(id: string): void {
    const one = this.#byId.get(id)
    if (one === undefined) return
    this.#byId.delete(id)
    const closers = [...one.closers]
    // One of them may take another one away.
    for (const closer of closers) if (one.closers.delete(closer)) closer()
  }

  /** The session lives until then, unless somebody ends it or uses it. */
  livesUntil(id: string, deadline: number): void {
    const one = this.#byId.get(id)
    if (one !== undefined) one.lookAt = deadline
  }

  all(): string[] {
    return [...this.#byId.keys()]
  }

  /** Those whose deadline has passed as far as is known, and those that were never found yet. */
  due(now: number): string[] {
    const due: string[] = []
    for (const [id, { lookAt }] of this.#byId) if (now >= lookAt) due.push(id)
    return due
  }

  clear(): void {
    this.#byId.clear()
  }
}
