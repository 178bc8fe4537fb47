import { memoryStore, type SessionStore } from 'express-sid'
import type { Adopted } from '../../../src/core/adoption/adoption.js'
import { ann, chrome, DAY, eventsOf, makeCore, settingsWith } from '../../support/core.js'
import { turns, wrapped } from '../../support/stores.js'

export const cookie = 'ann.signature-of-the-old-system'

export function nodeOn(store: SessionStore, overrides: object = {}) {
  const core = makeCore(settingsWith({ store, adoptUntil: Date.now() + 60 * DAY, ...overrides }))
  const adopt = (value = cookie, user: object = ann) =>
    core.engine.adoption!.adopt({ user, cookie: value, client: chrome, lifetime: undefined })
  return { ...core, adopt }
}
export const tokenOf = (adopted: Adopted) => (adopted === 'closed' ? 'closed' : adopted.token)

/** A small random number generator with a seed, so that a failure can be run again. */
function randomOf(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return Math.floor((state / 4_294_967_296) * below)
  }
}

/** Each call to the store takes some turns of the event loop, there and back. */
function slow(store: SessionStore, random: (below: number) => number): SessionStore {
  return wrapped(store, (_operation, method) => async (...args) => {
    await turns(random(4))
    const result = await method(...args)
    await turns(random(4))
    return result
  })
}

/** Tests that two nodes agree in every order of events that a seed makes. */
export function testSchedules(rounds: number): void {
  test.each(['revokeAll', 'logout'])(
    'nothing begins after %s was acknowledged, and nothing is left behind',
    async (how) => {
      const endings = { again: 0, first: 0 }
      for (let seed = 1; seed <= rounds; seed += 1) {
        const random = randomOf(seed)
        const store = memoryStore()
        const nodes = [nodeOn(slow(store, random)), nodeOn(slow(store, random))] as const
        let isEnded = false
        const tokens: string[] = []
        const come = async (at: number) => {
          await turns(random(12))
          const wasEnded = isEnded
          const token = tokenOf(await nodes[at % 2]!.adopt())
          if (wasEnded) expect([seed, token]).toEqual([seed, 'closed'])
          if (token !== 'closed') tokens.push(token)
          return token
        }
        const end = async () => {
          if (how === 'logout') {
            // Somebody has to be in to log out.
            const adopted = await nodes[0].adopt()
            if (adopted === 'closed') throw new Error('nobody has closed it')
            tokens.push(adopted.token)
            await nodes[1].engine.end([adopted.record])
          } else {
            await turns(random(60))
            await nodes[1].sessions.revokeAll('ann')
          }
          isEnded = true
        }
        const during = await Promise.all([come(0), come(1), end(), come(0)])
        expect([seed, await come(1)]).toEqual([seed, 'closed'])
        // One session at most, with one secret; and it has ended.
        expect(new Set(tokens).size).toBeLessThanOrEqual(1)
        expect([seed, await store.listByUser('ann')]).toEqual([seed, []])
        for (const token of tokens) expect(await nodes[0].use({ token })).toBeUndefined()
        endings[during.includes('closed') ? 'first' : 'again'] += 1
      }
      // The schedules are of both kinds: those in which the end came first, and those in which it came last.
      if (how === 'revokeAll')
        for (const count of Object.values(endings)) expect(count).toBeGreaterThan(rounds / 10)
    },
  )

  test('without an end, all who come get the one session, which is sent one event', async () => {
    for (let seed = 1; seed <= rounds / 2; seed += 1) {
      const random = randomOf(seed)
      const store = memoryStore()
      const nodes = [nodeOn(slow(store, random)), nodeOn(slow(store, random))] as const
      const events = nodes.flatMap(({ sessions }) => [eventsOf(sessions)])
      const come = async (at: number) => {
        await turns(random(12))
        return tokenOf(await nodes[at % 2]!.adopt())
      }
      const all = await Promise.all([0, 1, 2, 3, 4, 5].map(come))
      expect([seed, new Set(all).size, all.includes('closed')]).toEqual([seed, 1, false])
      expect(await store.listByUser('ann')).toHaveLength(1)
      expect(await nodes[0].use({ token: all[0]! })).toMatchObject({ userId: 'ann' })
      expect(events.flat().map(({ name }) => name)).toEqual(['adopt'])
    }
  })
}
