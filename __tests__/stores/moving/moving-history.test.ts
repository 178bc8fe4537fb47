import { memoryStore, type SessionStore } from 'express-sid'
import { copySessions, movingStore } from 'express-sid/moving-store'
import type { Started } from '../../../src/core/beginning.js'
import { chrome, makeCore, settingsWith } from '../../support/core.js'
import { violations, type Operation } from '../../support/history.js'
import { turn, wrapped } from '../../support/stores.js'
import { isWide } from '../../support/wide.js'

// Every call to a store takes a random number of turns, before it has its effect and after. So nodes, copies and sessions
// meet in every order. A seed makes each run the same again.

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** A store on a network of moods. */
function jittery(store: SessionStore, random: () => number): SessionStore {
  const some = async () => {
    for (let left = Math.floor(random() * 5); left > 0; left -= 1) await turn()
  }
  return wrapped(store, (_, method) => async (...args) => {
    await some()
    const result = await method(...args)
    await some()
    return result
  })
}

async function historyOf(seed: number, finish: boolean): Promise<Operation[]> {
  const random = randomFrom(seed)
  const [from, to] = [memoryStore(), memoryStore()]
  const open = () => ({ from: jittery(from, random), to: jittery(to, random) })
  const node = () => makeCore(settingsWith({ store: movingStore(open()), touchInterval: 1 }))
  const before = makeCore(settingsWith({ store: from }))
  const nodes = [node(), node()]
  const anyNode = () => nodes[random() < 0.5 ? 0 : 1]!
  const history: Operation[] = []
  const logins = new Map<string, Started>()
  let clock = 0

  const note = async (
    kind: Operation['kind'],
    session: string,
    work: () => Promise<Pick<Operation, 'result' | 'value'>>,
  ) => {
    const start = (clock += 1)
    const outcome = await work()
    history.push({ kind, session, start, end: (clock += 1), ...outcome })
  }
  const count = (data: object) => (data as { count?: number }).count ?? 0
  const read = (name: string, started: Started) =>
    note('read', name, async () => {
      const { record, failure } = await anyNode().identify([started.token], chrome)
      if (failure !== undefined) return { result: 'failed' }
      return record === undefined ? { result: 'out' } : { result: 'in', value: count(record.data) }
    })
  const add = (name: string, started: Started) =>
    note('count', name, async () => {
      const core = anyNode()
      const { record, failure } = await core.identify([started.token], chrome)
      if (failure !== undefined) return { result: 'failed' }
      if (record === undefined) return { result: 'out' }
      const changed = await core.changeData(record, (data) => ({ ...data, count: count(data) + 1 }), chrome)
      return changed === undefined ? { result: 'out' } : { result: 'ok', value: count(changed.data) }
    })
  const logout = (name: string, started: Started) =>
    note('logout', name, async () => {
      const core = anyNode()
      const { held, failure } = await core.identify([started.token], chrome)
      if (failure !== undefined) return { result: 'failed' }
      if (held.length === 0) return { result: 'out' }
      await core.engine.end(held)
      return { result: 'ok' }
    })
  const revoke = (name: string, user: string) =>
    note('logout', name, async () => {
      await anyNode().sessions.revokeAll(user)
      return { result: 'ok' }
    })

  const life = async (name: string) => {
    const engine = random() < 0.7 ? before.engine : anyNode().engine
    let started: Started | undefined
    await note('login', name, async () => {
      started = await engine.login({ id: name }, chrome, [])
      return { result: 'ok' }
    })
    const browser = started!
    logins.set(name, browser)
    for (let round = 0; round < 3; round += 1) {
      const fate = random()
      const under = [read(name, browser), add(name, browser), add(name, browser)]
      if (round > 0 && fate < 0.3) under.push(logout(name, browser))
      else if (round > 0 && fate < 0.5) under.push(revoke(name, name))
      await Promise.all(under)
      await read(name, browser)
    }
  }

  const names = Array.from({ length: 8 }, (_, at) => `${seed}-${at}`)
  const copies = [0, 1].map(async () => {
    for (let run = 0; run < 3; run += 1)
      await copySessions({ ...open(), pageSize: 3, finish: finish && run > 0 })
  })
  await Promise.all([...names.map(life), ...copies])
  await copySessions({ ...open(), finish })
  // What the app will find once it has `to` alone.
  const after = finish ? makeCore(settingsWith({ store: to })) : undefined
  if (after !== undefined) nodes.splice(0, 2, after, after)
  for (const [name, started] of logins) await read(name, started)
  if (finish) expect(from.count(0)).toBe(0)
  return history
}

const count = process.env.SID_LONG === '1' ? 3_000 : isWide ? 120 : 40
const seeds = Array.from({ length: count }, (_, at) => at + 1)

test.each([
  ['copies are made', false],
  ['copies are made and finished', true],
])(
  'no session is lost, revived or loses a write while %s beside two nodes',
  async (_, finish) => {
    for (const seed of seeds) {
      const history = await historyOf(seed, finish)
      expect([seed, violations(history)]).toEqual([seed, []])
    }
  },
  600_000,
)
