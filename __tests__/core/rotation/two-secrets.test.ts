import { isToken } from '../../../src/core/token.js'
import type { Verdict } from '../../../src/core/verdict.js'
import { moveTheClock, stopTheClock } from '../../support/core.js'
import { chrome } from '../../support/people.js'
import { turns } from '../../support/stores.js'
import { EVERY, GRACE, isIn, site } from '../support/site.js'

// A browser may send one session's cookie twice, with two of its secrets: under two paths, or under a host and a domain
// after the option was changed. Only one of the two is replaced by a rotation.

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

const orders = [
  ['the older one first', (older: string, newer: string) => [older, newer]],
  ['the newer one first', (older: string, newer: string) => [newer, older]],
] as const

describe.each(orders)('two secrets of one session, %s', (_, ordered) => {
  async function both() {
    const made = await site()
    const askBoth = (older: string, newer: string) =>
      new Promise<Verdict>((resolve) =>
        made.engine.identify(
          ordered(older, newer).filter(isToken),
          { client: () => chrome, takesToken: () => true },
          resolve,
        ),
      )
    return { ...made, askBoth }
  }

  it('let the browser in through ten periods, and the newer one moves on', async () => {
    const { started, askBoth, names } = await both()
    const kept = started.token
    let replaced: string = started.token
    for (let period = 0; period < 10; period += 1) {
      moveTheClock(EVERY)
      const verdict = await askBoth(kept, replaced)
      expect(isIn(verdict)).toBe(true)
      expect(verdict.token).toBeDefined()
      replaced = verdict.token!
      moveTheClock(GRACE)
      expect(isIn(await askBoth(kept, replaced))).toBe(true)
    }
    expect(new Set(names())).toEqual(new Set(['rotate']))
  })

  it('count as the successor where the other one is still the current', async () => {
    const { started, askBoth, rotated, stored } = await both()
    const next = await rotated(started.token)
    moveTheClock(GRACE)
    await askBoth(started.token, next)
    expect(stored()).toMatchObject({ nextHash: undefined, priorHash: started.record.secretHash })
  })

  it('count as the current where the other one is the one before', async () => {
    const { started, askBoth, rotated, settle } = await both()
    const next = await rotated(started.token)
    moveTheClock(EVERY - GRACE)
    await settle(next)
    // The next period has begun, and the one before is still good.
    expect((await askBoth(started.token, next)).token).toBeDefined()
  })
})
