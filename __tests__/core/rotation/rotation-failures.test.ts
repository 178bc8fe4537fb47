import type { Verdict } from '../../../src/core/verdict.js'
import type { SessionStore } from '../../../src/store.js'
import { moveTheClock, stopTheClock } from '../../support/core.js'
import { ann, chrome } from '../../support/people.js'
import { asyncStore, batching, type Operation, turns } from '../../support/stores.js'
import { EVERY, GRACE, isIn, site, stolen } from '../support/site.js'

// Each call that rotation makes to a store fails in turn: before it takes effect, after it, or without ever returning.

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

type Method = (...args: unknown[]) => unknown

const never = () => new Promise<never>(() => undefined)
const fail = (): never => {
  throw new Error('the connection is gone')
}

/** How one call goes wrong. */
const faults: Record<string, (call: () => unknown) => unknown> = {
  'fails before its effect': fail,
  'fails after its effect': async (call) => {
    await call()
    fail()
  },
  'hangs before its effect': never,
  'hangs after its effect': async (call) => {
    await call()
    return never()
  },
}

const methods = ['get', 'getMany', 'update', 'delete', 'pageByUser'] as const satisfies Operation[]

/** A store on a network, in which the call with this number goes wrong. Calls count from `start()`. */
function faulty(fault: (call: () => unknown) => unknown, wrong: number) {
  let count = -Infinity
  const over = (store: SessionStore): SessionStore => {
    const remote = asyncStore(batching(store))
    const wrapped = methods.map((name) => {
      const method = (remote[name] as Method).bind(remote)
      const call: Method = (...args) => {
        count += 1
        return count === wrong ? fault(() => method(...args)) : method(...args)
      }
      return [name, call] as const
    })
    return { ...remote, ...Object.fromEntries(wrapped) }
  }
  return { over, start: () => void (count = 0), calls: () => count }
}

const cases = (calls: number) =>
  Object.entries(faults).flatMap(([name, fault]) =>
    Array.from({ length: calls }, (_, at) => [`call ${at + 1} ${name}`, fault, at + 1] as const),
  )

// Longer than a busy machine needs.
const timeout = { storeTimeout: 100 }

describe('an honest browser, over three periods', () => {
  /** A request in each step; one that fails with 503 is sent again. Returns what the browser saw. */
  async function live(store: ReturnType<typeof faulty>) {
    const { ask, started, names } = await site(timeout, store.over)
    store.start()
    let jar: string = started.token
    const verdicts: Verdict[] = []
    for (const step of [EVERY, GRACE, EVERY, GRACE, EVERY, GRACE, GRACE]) {
      moveTheClock(step)
      let verdict = await ask(jar)
      if (verdict.failure !== undefined) verdict = await ask(jar)
      verdicts.push(verdict)
      if (verdict.token !== undefined) jar = verdict.token
    }
    return { verdicts, names: names(), calls: store.calls() }
  }

  it('makes the calls that the cases below count', async () => {
    // Each step looks up and writes: an issue, a settlement, or a touch.
    expect((await live(faulty(fail, 0))).calls).toBe(14)
  })

  it.each(cases(14))('stays in while %s, and rotation goes on', async (_, fault, wrong) => {
    const { verdicts, names } = await live(faulty(fault, wrong))
    expect(verdicts.every(isIn)).toBe(true)
    const issues = names.filter((name) => name === 'rotate').length
    expect(issues).toBeGreaterThanOrEqual(2)
    expect(issues).toBeLessThanOrEqual(3)
    expect(names).not.toContain('reuse')
  })
})

describe('a superseded secret', () => {
  /** The thief asks until the store works: the last verdict, and what is left. */
  async function use(store: ReturnType<typeof faulty>) {
    const made = await stolen({ ...timeout, onReuse: 'endAll' }, store.over)
    const other = await made.engine.login(ann, chrome, [])
    store.start()
    const verdicts = [await made.ask(made.started.token)]
    while (verdicts.at(-1)?.failure !== undefined) verdicts.push(await made.ask(made.started.token))
    const left = [made.started, other].filter(({ record }) => made.memory.get(record.id) !== undefined)
    return { verdicts, left, names: made.names(), calls: store.calls(), owner: await made.ask(made.current) }
  }

  it('makes the calls that the cases below count', async () => {
    // The lookup, the mark, the list, the other session, its own record.
    expect((await use(faulty(fail, 0))).calls).toBe(5)
  })

  it.each(cases(5))(
    'opens nothing while %s, and the theft is concluded and reported once',
    async (_, fault, wrong) => {
      const { verdicts, left, names, owner } = await use(faulty(fault, wrong))
      expect(verdicts.some(isIn)).toBe(false)
      expect(isIn(owner)).toBe(false)
      expect(left).toEqual([])
      expect(names.filter((name) => name === 'reuse')).toHaveLength(1)
    },
  )
})
