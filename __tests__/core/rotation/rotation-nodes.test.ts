import { nearCache } from '../../../src/stores/near-cache/index.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import type { SessionStore } from '../../../src/store.js'
import { isToken } from '../../../src/core/token.js'
import type { Verdict } from '../../../src/core/verdict.js'
import {
  eventsOf,
  HOUR,
  makeCore,
  MINUTE,
  moveTheClock,
  SECOND,
  settingsWith,
  stopTheClock,
} from '../../support/core.js'
import { ann, chrome } from '../../support/people.js'
import { turns } from '../../support/stores.js'
import { EVERY, GRACE, isIn, site } from '../support/site.js'

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

describe('two nodes with a near cache of 5 s each', () => {
  /** Two managers on one store, and a request to one of them. */
  async function nodes() {
    const memory = memoryStore()
    const cached = (): SessionStore => nearCache(memory, { maxStaleness: '5s' })
    const cores = [cached(), cached()].map((store) =>
      makeCore(settingsWith({ store, rotateEvery: EVERY, rotationGrace: GRACE })),
    )
    const seen = cores.map(({ sessions }) => eventsOf(sessions))
    const { token } = await cores[0]!.engine.login(ann, chrome, [])
    const ask = (node: number, given: string, takesToken = true) =>
      new Promise<Verdict>((resolve) => {
        const source = { client: () => chrome, takesToken: () => takesToken }
        cores[node]!.engine.identify([given].filter(isToken), source, resolve)
      })
    return { token, ask, names: () => seen.flat().map(({ name }) => name) }
  }

  it('let the browser in wherever its requests go, and give one successor a period', async () => {
    const { token, ask, names } = await nodes()
    let jar: string = token
    let issued = 0
    let passed = 0
    while (passed < 5 * EVERY + GRACE) {
      // Every two seconds around each rotation and settlement, every minute between.
      const step = passed % EVERY < 2 * GRACE || passed % EVERY > EVERY - MINUTE ? 2 * SECOND : MINUTE
      passed += step
      moveTheClock(step)
      // A browser's requests go to both nodes at once, with the cookie that it has when it sends them.
      for (const { token: given, ...verdict } of await Promise.all([ask(0, jar), ask(1, jar)])) {
        expect(isIn(verdict as Verdict)).toBe(true)
        if (given === undefined) continue
        issued += 1
        jar = given
      }
    }
    expect(issued).toBe(5)
    expect(new Set(names())).toEqual(new Set(['login', 'rotate']))
  })

  it('let the very first successor in where a node still has the record of before any rotation', async () => {
    const { token, ask } = await nodes()
    moveTheClock(EVERY)
    // Images: the first one is a touch, the second one fills the cache.
    await ask(1, token, false)
    await ask(1, token, false)
    const next = (await ask(0, token)).token!
    moveTheClock(SECOND)
    expect(isIn(await ask(1, next))).toBe(true)
  })

  it('know a made-up secret from a stolen one: it ends nothing, and is not reported', async () => {
    const { token, ask, names } = await nodes()
    const madeUp = token.slice(0, -43) + 'A'.repeat(43)
    for (const node of [0, 1]) {
      const { record, barred } = await ask(node, madeUp)
      expect([record, barred]).toEqual([undefined, undefined])
    }
    expect(isIn(await ask(0, token))).toBe(true)
    expect(names()).toEqual(['login'])
  })

  it.each([0, 1])('find a superseded secret on node %d', async (node) => {
    const { token, ask, names } = await nodes()
    moveTheClock(EVERY)
    const next = (await ask(0, token)).token!
    moveTheClock(GRACE)
    // Both nodes hold the record in which the first secret is the current one still.
    await Promise.all([ask(0, token), ask(1, token)])
    await ask(0, next)
    moveTheClock(GRACE)
    expect(isIn(await ask(node, token))).toBe(false)
    expect(names().filter((name) => name === 'reuse')).toHaveLength(1)
    moveTheClock(5 * SECOND)
    for (const other of [0, 1]) expect(isIn(await ask(other, next))).toBe(false)
  })
})

describe('a clock', () => {
  it('that is set back signs nobody out, and issues nothing until it has caught up', async () => {
    const { ask, started, rotated, settle, names } = await site()
    const next = await rotated(started.token)
    await settle(next)
    moveTheClock(-3 * HOUR)
    for (const token of [started.token, next]) {
      const verdict = await ask(token)
      expect(isIn(verdict)).toBe(true)
      expect(verdict.token).toBeUndefined()
    }
    moveTheClock(3 * HOUR + EVERY)
    expect((await ask(next)).token).toBeDefined()
    expect(names()).toEqual(['rotate', 'rotate'])
  })

  it('that is ahead on one node by less than the grace signs nobody out', async () => {
    const { ask, started, rotated } = await site()
    const next = await rotated(started.token)
    moveTheClock(GRACE - MINUTE)
    // This node's clock is a minute ahead: it settles early.
    moveTheClock(MINUTE)
    await ask(next)
    moveTheClock(-MINUTE)
    for (const token of [started.token, next]) expect(isIn(await ask(token))).toBe(true)
  })
})
