import fc from 'fast-check'
import type { Started } from '../../../src/core/beginning.js'
import type { SessionStore } from '../../../src/store.js'
import { ledgerIdOf } from '../../../src/core/ledger/ledger.js'
import { replacing, wrapped } from '../../support/stores.js'
import { MAX } from './rules.js'
import { browserOf, orCode, World, type Browser } from './world.js'

/** What is asked for in one moment. `who` picks one of the sessions that are there when it begins. */
export interface Ask {
  readonly kind: 'login' | 'loginAgain' | 'logout' | 'revokeAll' | 'write' | 'actAs' | 'stopActing' | 'credentialsChanged' | 'rename' // prettier-ignore
  readonly who: number
  readonly node: number
}

const kinds = [
  'login', 'login', 'login', 'loginAgain', 'logout', 'revokeAll', 'write', 'write', 'actAs', 'stopActing',
  'credentialsChanged', 'rename',
] as const // prettier-ignore

export const moments = fc.array(
  fc.array(fc.record<Ask>({ kind: fc.constantFrom(...kinds), who: fc.nat(9), node: fc.nat(1) }), {
    minLength: 2,
    maxLength: 6,
  }),
  { minLength: 1, maxLength: 4 },
)

/** A session as its browser knows it. */
interface Known extends Browser {
  /** How many writes were acknowledged. */
  writes: number
  /** Whether an end of it was acknowledged. */
  isOver: boolean
}

/** A store whose calls arrive, and return, in an order that fast-check picks. */
function shuffled(s: fc.Scheduler) {
  return (store: SessionStore): SessionStore => {
    const one = replacing(store, { getMany: undefined, pageByUser: undefined })
    return wrapped(one, (operation, method) => async (...args) => {
      await s.schedule(Promise.resolve(), operation)
      const result = await method(...args)
      await s.schedule(Promise.resolve(), `${operation} returns`)
      return result
    })
  }
}

/**
 * Takes what is asked in one moment at once, on two nodes, and waits until all of it is answered. Then the rules hold that
 * hold in whatever order it happened.
 */
export async function takeAtOnce(
  s: fc.Scheduler,
  whenFull: 'endOldest' | 'refuse',
  all: readonly (readonly Ask[])[],
): Promise<void> {
  const world = new World(whenFull, shuffled(s))
  const run = new Run(world)
  try {
    for (const asks of all) {
      const known = run.known.filter(({ isOver }) => !isOver)
      await s.waitFor(Promise.all(asks.map((ask) => run.take(ask, known[ask.who % known.length]))))
      await s.waitFor(run.check())
    }
  } finally {
    await world.close()
  }
}

class Run {
  readonly known: Known[] = []
  #renamed = 0

  constructor(private readonly world: World) {}

  async take({ kind, node }: Ask, by: Known | undefined): Promise<void> {
    const { world } = this
    if (kind === 'login') return this.#began(world.login(node, 'ann', []))
    if (kind === 'rename') {
      const title = `title ${(this.#renamed += 1)}`
      await world.rename(node, 'ann', title)
      return
    }
    if (kind === 'revokeAll') {
      const before = [...this.known]
      await world.node(node).sessions.revokeAll('ann')
      return before.forEach((one) => (one.isOver = true))
    }
    const record = by && (await world.use(node, by))
    if (by === undefined || record === undefined) return
    if (kind === 'write') {
      if ((await world.write(node, record)) !== undefined) by.writes += 1
      return
    }
    if (kind === 'logout') {
      await world.node(node).engine.end([record])
      by.isOver = true
      return
    }
    if (kind === 'loginAgain') return this.#began(world.login(node, 'ann', [record]), by)
    if (kind === 'actAs') return this.#began(world.actAs(node, record, 'bob'))
    if (kind === 'stopActing') return this.#began(world.stopActing(node, record), by)
    return this.#began(world.credentialsChanged(node, record), by)
  }

  async #began(work: Promise<Started | undefined>, replaced?: Known): Promise<void> {
    const started = await orCode(work)
    if (typeof started === 'string' || started === undefined) return
    if (replaced !== undefined) replaced.isOver = true
    this.known.push({ ...browserOf(started), writes: 0, isOver: false })
  }

  async check(): Promise<void> {
    const { world } = this
    const [anns, bobs] = [await world.node(0).sessions.list('ann'), await world.node(1).sessions.list('bob')]
    // No more live than may: whatever was asked for at once, once all of it is answered.
    expect(anns.length).toBeLessThanOrEqual(MAX)
    // Whatever lives has a seat, and nobody is left in the middle of a login.
    const seats = await this.#seats()
    for (const { id } of anns) expect(seats).toContainEqual({ id })
    for (const seat of seats) expect(Object.keys(seat)).toEqual(['id'])
    // Who acts is there, and says so.
    for (const { id, actor } of bobs) expect(anns.find((one) => one.id === actor!.sessionId)?.acting).toBe(id)
    const live = new Map([...anns, ...bobs].map((one) => [one.id, one]))
    for (const one of this.known) {
      // What was acknowledged to have ended never comes back.
      if (one.isOver) expect(live.has(one.id)).toBe(false)
      const record = await world.node(0).engine.live.find(one.id)
      expect(record !== undefined).toBe(live.has(one.id))
      if (record === undefined) one.isOver = true
      // No write is lost. One that came along into a new session is counted there.
      else expect(((record.data.writes as number | undefined) ?? 0) >= one.writes).toBe(true)
    }
    // Nobody lives that no browser has been told of.
    for (const id of live.keys()) expect(this.known.map((one) => one.id)).toContain(id)
  }

  async #seats(): Promise<readonly object[]> {
    const ledger = (await this.world.memory.get(ledgerIdOf('ann'))) as
      { data: { seats?: object[] } } | undefined
    return ledger?.data.seats ?? []
  }
}
