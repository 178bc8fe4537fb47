import { setImmediate as turn } from 'node:timers/promises'
import { Store } from 'express-sid/express-session'
import type { SessionData } from 'express-session'

type Done<T = void> = (error?: unknown, value?: T) => void

/**
 * What several processes share: a database without compare-and-set, whose answers take a random time. Each process has a
 * store object of its own.
 */
export class Backend {
  readonly rows = new Map<string, string>()

  constructor(private readonly random: () => number = Math.random) {}

  store(): Store {
    return new BackendStore(this)
  }

  /** Does it after a while, and answers after another one. */
  async act<T>(work: () => T): Promise<T> {
    await this.#while()
    const result = work()
    await this.#while()
    return result
  }

  async #while(): Promise<void> {
    for (let turns = Math.floor(this.random() * 4); turns > 0; turns -= 1) await turn()
  }
}

class BackendStore extends Store {
  constructor(private readonly backend: Backend) {
    super()
  }

  override get(sid: string, done: Done<SessionData | null>): void {
    void this.backend
      .act(() => this.backend.rows.get(sid))
      .then((row) => done(null, row === undefined ? null : (JSON.parse(row) as SessionData)))
  }

  override set(sid: string, session: SessionData, done?: Done): void {
    const row = JSON.stringify(session)
    void this.backend.act(() => this.backend.rows.set(sid, row)).then(() => done?.())
  }

  override destroy(sid: string, done?: Done): void {
    void this.backend.act(() => this.backend.rows.delete(sid)).then(() => done?.())
  }
}
