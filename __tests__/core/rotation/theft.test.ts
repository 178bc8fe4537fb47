import { memoryStore } from '../../../src/stores/memory/index.js'
import type { SessionStore } from '../../../src/store.js'
import { MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { ann, chrome, firefox } from '../../support/people.js'
import { asyncStore, batching, turns } from '../../support/stores.js'
import { EVERY, GRACE, isIn, site, stolen } from '../support/site.js'

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

describe('two browsers with one copied profile', () => {
  it.each([3, 7, 10, 17])(
    'show within two periods, where the copy is used every %d minutes beside its owner',
    async (minutes) => {
      const { ask, started, seen } = await site()
      const browsers: { jar: string; every: number }[] = [
        { jar: started.token, every: 5 },
        { jar: started.token, every: minutes },
      ]
      let minute = 0
      for (; seen.every(({ name }) => name !== 'reuse'); minute += 1) {
        for (const browser of browsers.filter(({ every }) => minute % every === 0)) {
          const { token } = await ask(browser.jar)
          if (token !== undefined) browser.jar = token
        }
        moveTheClock(MINUTE)
        if (minute > 200) throw new Error('never found')
      }
      // A period until the next rotation, a grace until it settles, a grace until the old secret is dead.
      expect(minute).toBeLessThanOrEqual((2 * EVERY + 2 * GRACE) / MINUTE)
      for (const { jar } of browsers) expect(isIn(await ask(jar))).toBe(false)
    },
  )
})

describe('who knows the id of a session, and no secret of it', () => {
  const guesses = process.env.SID_LONG === '1' ? 1_000_000 : 100_000

  it(`changes nothing by ${guesses} guesses, and each of them is one read`, async () => {
    const { started, ask, stored, calls, seen } = await stolen()
    const before = stored()
    const eventsBefore = seen.length
    calls.length = 0
    for (let guess = 0; guess < guesses; guess += 1) {
      const verdict = await ask(`${started.record.id}.${String(guess).padStart(65, 'A')}`)
      if (verdict.record !== undefined || verdict.held.length > 0 || verdict.barred !== undefined) {
        throw new Error(`guess ${guess} was right`)
      }
    }
    expect(calls).toHaveLength(guesses)
    expect(calls.every(({ operation }) => operation === 'get')).toBe(true)
    expect(stored()).toBe(before)
    expect(seen).toHaveLength(eventsBefore)
  }, 200_000)
})

describe('a superseded secret', () => {
  it('is concluded whatever the browser says it is: no User-Agent hides it', async () => {
    const { started, ask, stored, seen } = await stolen()
    expect((await ask(started.token, { client: firefox })).barred).toMatchObject({ code: 'SECRET_REUSED' })
    expect(stored()).toBeUndefined()
    expect(seen.at(-1)).toMatchObject({ name: 'reuse', event: { client: firefox } })
  })

  it('is concluded where the response can carry no cookie: an image, a handshake', async () => {
    const { started, ask, stored } = await stolen()
    expect(isIn(await ask(started.token, { takesToken: false }))).toBe(false)
    expect(stored()).toBeUndefined()
  })

  it('of a session that has ended meanwhile ends nothing else, and is not reported', async () => {
    const { engine, started, current, ask, memory, names } = await stolen({ onReuse: 'endAll' })
    const other = await engine.login(ann, chrome, [])
    await engine.end((await ask(current)).held)
    expect(isIn(await ask(started.token))).toBe(false)
    expect(memory.get(other.record.id)).toBeDefined()
    expect(names()).not.toContain('reuse')
  })
})

describe('a guest', () => {
  it('who makes up a secret ends nothing, and no event is about it', async () => {
    const { engine, ask, memory, seen } = await site({ onReuse: 'endAll' })
    const guest = await engine.startGuest({ cart: 1 }, chrome)
    const before = seen.length
    const madeUp = guest.token.slice(0, -43) + 'A'.repeat(43)
    expect(isIn(await ask(madeUp))).toBe(false)
    expect(seen).toHaveLength(before)
    expect(memory.get(guest.record.id)).toBeDefined()
  })
})

describe('in the middle of a rotation', () => {
  /** A session whose next write waits until it is let go. */
  async function paused() {
    let letGo: () => void = () => undefined
    let gate: Promise<void> | undefined
    const memory = memoryStore()
    const made = await site({}, (): SessionStore => {
      const remote = asyncStore(batching(memory))
      return {
        ...remote,
        async update(record, version) {
          await gate
          return remote.update(record, version)
        },
      }
    })
    const pause = () => {
      gate = new Promise((resolve) => (letGo = resolve))
    }
    return { ...made, pause, letGo: () => letGo(), isThere: (id: string) => memory.get(id) !== undefined }
  }

  it('a logout is final: the rotation writes nothing, and its response gives no cookie', async () => {
    const { engine, ask, started, pause, letGo, isThere } = await paused()
    const { held } = await ask(started.token)
    moveTheClock(EVERY)
    pause()
    const rotating = ask(started.token)
    await turns()
    expect(await engine.end(held)).toBe(true)
    letGo()
    expect(await rotating).toMatchObject({ record: undefined, token: undefined, hasEnded: true })
    expect(isThere(started.record.id)).toBe(false)
  })

  it('a login ends the session and starts another one, which no secret of the first can end', async () => {
    const { engine, ask, started, pause, letGo, isThere, names } = await paused()
    const { held } = await ask(started.token)
    moveTheClock(EVERY)
    pause()
    const rotating = ask(started.token)
    await turns()
    const again = await engine.login(ann, chrome, held)
    letGo()
    expect((await rotating).token).toBeUndefined()
    expect(isIn(await ask(started.token))).toBe(false)
    expect(isIn(await ask(again.token))).toBe(true)
    expect(isThere(started.record.id)).toBe(false)
    expect(names()).not.toContain('reuse')
  })

  it('a logout with the secret before ends the session for its successor, too', async () => {
    const { engine, ask, started, rotated } = await site()
    const next = await rotated(started.token)
    expect(await engine.end((await ask(started.token)).held)).toBe(true)
    expect(isIn(await ask(next))).toBe(false)
  })

  it('a write of data keeps the successor, and the successor the data', async () => {
    const { changeData, ask, started, stored } = await site()
    const before = stored()!
    moveTheClock(EVERY)
    const [verdict] = await Promise.all([
      ask(started.token),
      changeData(before, (data) => ({ ...data, cart: 1 }), chrome),
    ])
    expect(verdict.token).toBeDefined()
    expect(isIn(await ask(verdict.token!))).toBe(true)
    expect(stored()).toMatchObject({ data: { cart: 1 }, nextHash: expect.any(String) as string })
  })
})
