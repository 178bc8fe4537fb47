import type { SessionRecord } from '../../../src/record.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { chrome, makeCore, settingsWith } from '../../support/core.js'

// A browser in which ann acts as bob holds one session, and ann's own has a seat of hers. Her login there takes that seat.

const ann = { id: 'ann' }
const bob = { id: 'bob' }

function setUp(whenFull: 'endOldest' | 'refuse') {
  const settings = { store: memoryStore(), maxSessions: 2, whenFull, mayActAs: () => true }
  const core = makeCore(settingsWith(settings))
  const login = async (held: readonly SessionRecord[] = []) =>
    (await core.engine.login(ann, chrome, held)).record
  const actAs = async (own: SessionRecord) => {
    const started = await core.engine.acting.begin({ ...own, userId: 'ann' }, own.user, bob, chrome)
    return started!.record
  }
  // In the order of their logins.
  const live = async () => (await core.sessions.list('ann')).map(({ id }) => id).toSorted()
  return { login, actAs, live, find: (id: string) => core.engine.live.find(id) }
}

describe.each(['endOldest', 'refuse'] as const)('whenFull: %s', (whenFull) => {
  test('a login where somebody acts ends both sessions of that browser, and takes one seat', async () => {
    const { login, actAs, live } = setUp(whenFull)
    const other = await login()
    const own = await login()
    const next = await login([await actAs(own)])
    expect(await live()).toEqual([other.id, next.id])
  })

  test('it ends the own session also where that acts anew meanwhile', async () => {
    const { login, actAs, live, find } = setUp(whenFull)
    const other = await login()
    const own = await login()
    const before = await actAs(own)
    const anew = await actAs((await find(own.id))!)
    const next = await login([before])
    expect(await live()).toEqual([other.id, next.id])
    expect(await find(anew.id)).toBeUndefined()
  })
})
