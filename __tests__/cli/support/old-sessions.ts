import Database from 'libsql'
import type { SessionStore } from 'express-sid'
import { sqliteStore } from 'express-sid/sqlite'
import type { Started } from '../../../src/core/beginning.js'
import { chrome, makeCore, settingsWith } from '../../support/core.js'
import type { Operation } from '../../support/history.js'

/** Sessions that began in the old store, and browsers that use them while they move. */
export class OldSessions {
  readonly history: Operation[] = []
  readonly #sessions: { readonly name: string; readonly started: Started }[] = []
  #isOver = false

  /** Logs so many users in, and keeps them in a SQLite file. */
  async begin(file: string, count: number): Promise<void> {
    const database = new Database(file)
    const store = sqliteStore(database)
    // Nothing is promised to anybody yet: without a sync for each of 100,000 logins.
    database.exec('PRAGMA synchronous = OFF')
    const { engine } = makeCore(settingsWith({ store }))
    for (let at = 0; at < count; at += 1) {
      const name = `old-${at}`
      this.#sessions.push({ name, started: await engine.login({ id: name }, chrome, []) })
    }
    await engine.close()
    database.close()
  }

  /** So many browsers read, write and log out at these apps until `stop`. Each takes sessions of its own. */
  async use(urls: readonly string[], browsers: number): Promise<void> {
    const login = performance.now()
    const left = this.#sessions.values()
    const browse = async () => {
      for (const { name, started } of left) {
        if (this.#isOver) return
        this.history.push({ kind: 'login', session: name, start: login, end: login, result: 'ok' })
        const ask = (kind: Operation['kind']) =>
          this.#ask(kind, name, started.token, urls[Math.floor(Math.random() * urls.length)]!)
        await Promise.all([ask('read'), ask('count'), ask('count')])
        if (Math.random() < 0.5) await Promise.all([ask('logout'), ask('count'), ask('read')])
        await ask('read')
      }
    }
    await Promise.all(Array.from({ length: browsers }, browse))
  }

  stop(): void {
    this.#isOver = true
  }

  /** Looks at every session once more, on a store alone: it adds to the history, and says how many are there. */
  async readAll(store: SessionStore): Promise<number> {
    const { identify, engine } = makeCore(settingsWith({ store }))
    const used = new Set(this.history.map(({ session }) => session))
    let there = 0
    const left = this.#sessions.values()
    const look = async () => {
      for (const { name, started } of left) {
        const start = performance.now()
        const { record, failure } = await identify([started.token])
        if (failure !== undefined) throw failure
        if (record !== undefined) there += 1
        const result = record === undefined ? 'out' : 'in'
        const value = Number(record?.data.count ?? 0)
        const seen = { kind: 'read', session: name, start, end: performance.now(), result } as const
        // The checker knows sessions by their logins.
        if (!used.has(name)) {
          this.history.push({ kind: 'login', session: name, start: 0, end: 0, result: 'ok' })
        }
        this.history.push(record === undefined ? seen : { ...seen, value })
      }
    }
    await Promise.all(Array.from({ length: 64 }, look))
    await engine.close()
    return there
  }

  async #ask(kind: Operation['kind'], session: string, token: string, url: string): Promise<void> {
    const start = performance.now()
    const paths = { read: '/me', count: '/count', logout: '/logout', revoke: '/revoke-all', login: '/login' }
    const method = kind === 'read' ? 'GET' : 'POST'
    const headers = { cookie: `sid=${token}`, accept: 'application/json' }
    let result: Operation['result'] = 'unanswered'
    let value: number | undefined
    try {
      const response = await fetch(url + paths[kind], { method, headers })
      const body = (await response.json().catch(() => ({}))) as { user?: unknown; count?: number }
      const isOut = response.status === 401 || (kind === 'read' && body.user === null)
      const isIn = kind === 'read' ? 'in' : 'ok'
      result = response.status === 503 ? 'failed' : isOut ? 'out' : isIn
      if (!isOut) value = body.count
    } catch {
      // The connection broke.
    }
    const end = result === 'unanswered' ? Infinity : performance.now()
    this.history.push({ kind, session, start, end, result, ...(value === undefined ? {} : { value }) })
  }
}
