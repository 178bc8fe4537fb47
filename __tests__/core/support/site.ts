import type { Client } from '../../../src/core/client/client.js'
import type { Settings } from '../../../src/core/settings.js'
import { isToken } from '../../../src/core/token.js'
import type { Verdict } from '../../../src/core/verdict.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { DAY, eventsOf, HOUR, makeCore, MINUTE, moveTheClock, settingsWith } from '../../support/core.js'
import { ann, chrome } from '../../support/people.js'
import { recording } from '../../support/stores.js'

export const EVERY = HOUR
export const GRACE = 5 * MINUTE

/** A login of Ann's on a store, and what a browser would do with it. */
export async function site(
  settings: Partial<Settings> = {},
  over: (store: SessionStore) => SessionStore = (store) => store,
) {
  const memory = memoryStore()
  const { store, calls } = recording(over(memory))
  const core = makeCore(
    settingsWith({ store, rotateEvery: EVERY, rotationGrace: GRACE, touchInterval: MINUTE, ...settings }),
  )
  const { engine } = core
  const started = await engine.login(ann, chrome, [])
  const seen = eventsOf(core.sessions)
  const ask = (token: string, options: { client?: Client; takesToken?: boolean } = {}) =>
    new Promise<Verdict>((resolve) => {
      const { client = chrome, takesToken = true } = options
      engine.identify(
        [token].filter(isToken),
        { client: () => client, takesToken: () => takesToken },
        resolve,
      )
    })
  const stored = () => memory.get(started.record.id) as SessionRecord | undefined
  /** One period later, a new token is issued. */
  const rotated = async (token: string): Promise<string> => {
    moveTheClock(EVERY)
    return (await ask(token)).token!
  }
  /** The token is presented after the grace, so the one before it is the prior one from now on. */
  const settle = async (token: string): Promise<void> => {
    moveTheClock(GRACE)
    await ask(token)
  }
  const names = () => seen.map(({ name }) => name)
  return { ...core, memory, calls, started, seen, names, ask, stored, rotated, settle }
}

export const isIn = ({ record, user }: Verdict) => record !== undefined && user !== undefined

/** A session whose first token is superseded, and its current one. */
export async function stolen(settings: Partial<Settings> = {}, over?: (store: SessionStore) => SessionStore) {
  const made = await site({ idleTimeout: 30 * DAY, ...settings }, over)
  const current = await made.rotated(made.started.token)
  await made.settle(current)
  moveTheClock(GRACE)
  return { ...made, current }
}
