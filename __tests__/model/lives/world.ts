import { isSessionError } from '../../../src/errors.js'
import type { Started } from '../../../src/core/beginning.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { chrome, makeCore, settingsWith } from '../../support/core.js'
import { MAX, times } from './rules.js'

/** The package itself: two nodes on one store, and what browsers hold. */
export class World {
  readonly memory = memoryStore()
  readonly #cores: ReturnType<typeof makeCore>[]

  constructor(
    whenFull: 'endOldest' | 'refuse',
    over: (store: SessionStore) => SessionStore = (store) => store,
  ) {
    const store = over(this.memory)
    const settings = { ...times, store, maxSessions: MAX, whenFull, mayActAs: () => true }
    this.#cores = [1, 2].map(() => makeCore(settingsWith(settings)))
  }

  node(at: number) {
    return this.#cores[at % 2]!
  }

  async live(user: string): Promise<string[]> {
    return (await this.node(0).sessions.list(user)).map(({ id }) => id)
  }

  /** The session that a browser's token opens now; a new token replaces the old one. */
  async use(node: number, browser: Browser): Promise<SessionRecord | undefined> {
    const { record, token, failure } = await this.node(node).identify([browser.token])
    if (failure !== undefined) throw failure as Error
    if (token !== undefined) browser.token = token
    return record
  }

  login(node: number, user: string, held: readonly SessionRecord[]): Promise<Started> {
    return this.node(node).engine.login({ id: user, title: user }, chrome, held)
  }

  write(node: number, record: SessionRecord): Promise<SessionRecord | undefined> {
    return this.node(node).changeData(
      record,
      (data) => ({ writes: ((data.writes as number | undefined) ?? 0) + 1 }),
      chrome,
    )
  }

  actAs(node: number, record: SessionRecord, user: string): Promise<Started | undefined> {
    const to = { id: user, title: user }
    return this.node(node).engine.acting.begin(ofUser(record), record.user, to, chrome)
  }

  stopActing(node: number, record: SessionRecord): Promise<Started | undefined> {
    return this.node(node).engine.acting.stop(ofUser(record), chrome, false)
  }

  credentialsChanged(node: number, record: SessionRecord): Promise<Started | undefined> {
    return this.node(node).engine.users.credentialsChanged(ofUser(record), chrome, false)
  }

  rename(node: number, user: string, title: string): Promise<number> {
    return this.node(node).sessions.updateUser(user, (kept: object) => ({ ...kept, title }))
  }

  async close(): Promise<void> {
    await Promise.all(this.#cores.map(({ sessions }) => sessions.close()))
  }
}

/** What a browser holds. */
export interface Browser {
  readonly id: string
  token: string
}

export function browserOf({ record, token }: Started): Browser {
  return { id: record.id, token }
}

/** What came of it, or the code of the refusal. */
export async function orCode<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work
  } catch (error) {
    if (isSessionError(error)) return error.code
    throw error
  }
}

function ofUser(record: SessionRecord): SessionRecord & { readonly userId: string } {
  return record as SessionRecord & { readonly userId: string }
}
