import fc from 'fast-check'
import type { Started } from '../../../src/core/beginning.js'
import { MINUTE, moveTheClock } from '../../support/core.js'
import { Rules, type Life } from './rules.js'
import { browserOf, orCode, World, type Browser } from './world.js'

/** One step. `who` picks one of the sessions that have ever been, `node` one of two processes. */
export interface Step {
  readonly kind: (typeof kinds)[number]
  readonly who: number
  readonly user: string
  readonly node: number
  readonly minutes: number
}

const kinds = [
  'login', 'login', 'loginAgain', 'use', 'use', 'logout', 'revoke', 'revokeAll', 'write', 'actAs', 'stopActing',
  'credentialsChanged', 'rename', 'pass', 'pass', 'sweep',
] as const // prettier-ignore

export const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(...kinds),
    who: fc.nat(60),
    user: fc.constantFrom('ann', 'bob'),
    node: fc.nat(1),
    // A clock may be set back. What was seen to end stays ended.
    minutes: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.integer({ min: 10, max: 45 })),
  }),
  { minLength: 10, maxLength: 40 },
)

/** Takes the steps one after another, and compares the package with the rules after each of them. */
export async function takeInTurn(whenFull: 'endOldest' | 'refuse', all: readonly Step[]): Promise<void> {
  const world = new World(whenFull)
  const run = new Run(world, new Rules(Date.now(), whenFull))
  try {
    for (const step of all) {
      await run.take(step)
      await run.compare()
    }
  } finally {
    await world.close()
  }
}

class Run {
  readonly #browsers = new Map<Life, Browser>()
  #renamed = 0

  constructor(
    private readonly world: World,
    private readonly rules: Rules,
  ) {}

  async take(step: Step): Promise<void> {
    const { world, rules } = this
    const { kind, node, user } = step
    const life = rules.lives[step.who % Math.max(1, rules.lives.length)]
    if (kind === 'pass') {
      moveTheClock(step.minutes * MINUTE)
      return rules.pass(step.minutes * MINUTE)
    }
    if (kind === 'sweep') return void (await world.memory.deleteExpired!(Date.now(), 100))
    if (kind === 'login') return this.#began(world.login(node, user, []), rules.login(user, undefined))
    if (kind === 'revokeAll') {
      const live = rules.of(user)
      expect(await world.node(node).sessions.revokeAll(user)).toBe(live.length)
      return live.forEach((one) => rules.end(one))
    }
    if (kind === 'rename') {
      const title = `title ${(this.#renamed += 1)}`
      expect(await world.rename(node, user, title)).toBe(rules.of(user).length)
      return rules.rename(user, title)
    }
    if (life !== undefined) await this.#takeBy(life, step)
  }

  async #takeBy(life: Life, { kind, node, user }: Step): Promise<void> {
    const { world, rules } = this
    const browser = this.#browsers.get(life)!
    if (kind === 'revoke') {
      expect(await world.node(node).sessions.revoke(browser.id)).toBe(rules.alive(life))
      return rules.end(life)
    }
    const record = await world.use(node, browser)
    expect(record?.id).toBe(rules.alive(life) ? browser.id : undefined)
    if (record === undefined) return
    rules.use(life)
    if (kind === 'logout') {
      await world.node(node).engine.end([record])
      return rules.endHeld(life)
    }
    if (kind === 'write') {
      await world.write(node, record)
      return rules.write(life)
    }
    if (kind === 'loginAgain') return this.#began(world.login(node, user, [record]), rules.login(user, life))
    if (kind === 'actAs') return this.#began(world.actAs(node, record, user), rules.actAs(life, user))
    if (kind === 'stopActing') return this.#began(world.stopActing(node, record), rules.stopActing(life))
    if (kind === 'credentialsChanged') {
      return this.#began(world.credentialsChanged(node, record), rules.credentialsChanged(life))
    }
  }

  async #began(work: Promise<Started | undefined>, ruled: Life | string): Promise<void> {
    const started = await orCode(work)
    if (typeof ruled === 'string') return expect(started).toBe(ruled)
    this.#browsers.set(ruled, browserOf(started as Started))
  }

  /** What is listed, with its data and its user; and nothing is in the store that has ended. */
  async compare(): Promise<void> {
    for (const user of ['ann', 'bob']) {
      const expected = this.rules.of(user).map((life) => ({
        id: this.#browsers.get(life)!.id,
        user: { id: user, title: life.title },
        expiresAt: life.expires,
        absoluteExpiresAt: life.absolute,
        actor: life.from && { userId: life.from.user, sessionId: this.#browsers.get(life.from)!.id },
        writes: life.writes,
      }))
      const listed = await this.world.node(0).sessions.list(user)
      const found = listed.map(({ id, user: kept, expiresAt, absoluteExpiresAt, actor }) => {
        const { data } = this.world.memory.get(id) as { data: { writes?: number } }
        return { id, user: kept, expiresAt, absoluteExpiresAt, actor, writes: data.writes ?? 0 }
      })
      const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
      expect(found.toSorted(byId)).toEqual(expected.toSorted(byId))
    }
  }
}
