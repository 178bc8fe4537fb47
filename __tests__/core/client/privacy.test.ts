import { createSessions, memoryStore, type SessionStore } from 'express-sid'
import type { AddressPolicy } from '../../../src/core/client/address.js'
import {
  ann,
  chrome,
  eventsOf,
  HOUR,
  makeCore,
  moveTheClock,
  settingsWith,
  stopTheClock,
} from '../../support/core.js'
import { warningsOf } from '../../support/warnings.js'

afterEach(() => jest.useRealTimers())

const at = (ip: string) => ({ ...chrome, ip })

/** A login from an address, with a manager that keeps so much of it. */
async function loggedIn(recordAddress: AddressPolicy, ip: string, store: SessionStore = memoryStore()) {
  const core = makeCore(settingsWith({ store, recordAddress }))
  const started = await core.engine.login(ann, at(ip), [])
  return { ...core, started, store, seen: eventsOf(core.sessions) }
}

describe('what a session keeps of an address', () => {
  it.each<[AddressPolicy, string, string]>([
    ['whole', '203.0.113.7', '203.0.113.7'],
    ['network', '203.0.113.7', '203.0.113.0'],
    ['network', '2001:DB8:1:2::3', '2001:db8:1::'],
    ['network', '1:0:0:4:5:6:7:8', '1::'],
    ['network', '1:0:3:4:5:6:7:8', '1:0:3::'],
    ['network', '::ffff:cb00:7107', '203.0.113.0'],
    ['network', '::1.2.3.4', '::'],
    ['network', 'unknown', ''],
    ['network', '', ''],
    ['none', '203.0.113.7', ''],
  ])('with %s, of %s, is %p', async (recordAddress, ip, kept) => {
    const { started, sessions, store } = await loggedIn(recordAddress, ip)
    expect((await sessions.find(started.record.id))!.ip).toBe(kept)
    expect((await store.get(started.record.id))!.ip).toBe(kept)
  })

  it.each<AddressPolicy>(['network', 'none'])('is cut with %s at touches and writes, too', async (policy) => {
    stopTheClock()
    const { started, use, engine, store } = await loggedIn(policy, '203.0.113.7')
    const kept = async () => JSON.stringify(await store.get(started.record.id))
    moveTheClock(HOUR)
    const used = await use(started, at('203.0.113.9'))
    expect(await kept()).not.toContain('203.0.113.9')
    await engine.change(used as never, (record) => ({ ...record, data: { a: 1 } }), at('203.0.113.8'))
    expect(await kept()).toMatch(/"a":1/)
    expect(await kept()).not.toContain('203.0.113.8')
  })

  it('is cut at the next touch where the whole was kept before', async () => {
    stopTheClock()
    const { started, store } = await loggedIn('whole', '203.0.113.7')
    moveTheClock(HOUR)
    const { use } = makeCore(settingsWith({ store, recordAddress: 'none' }))
    await use(started, at(''))
    expect((await store.get(started.record.id))!.ip).toBe('')
  })

  it('is as it was in the events: they say where the request came from', async () => {
    const { seen, engine } = await loggedIn('none', '203.0.113.7')
    await engine.login(ann, at('203.0.113.8'), [])
    expect(seen).toMatchObject([{ name: 'login', event: { client: { ip: '203.0.113.8' } } }])
  })
})

describe('the check of networks', () => {
  const networks = ({ seen }: Awaited<ReturnType<typeof loggedIn>>) =>
    seen.flatMap((one) => (one.name === 'clientChange' ? one.event.changes : []))

  it.each([
    ['203.0.113.7', '203.0.113.200', []],
    ['203.0.113.7', '203.0.114.7', ['network']],
    ['2001:db8:1::1', '2001:db8:1:ffff::1', []],
    ['2001:db8:1::1', '2001:db8:2::1', ['network']],
    ['203.0.113.7', '2001:db8:1::1', ['network']],
  ])('works with the network alone: from %s to %s is %p', async (before, after, changes) => {
    const made = await loggedIn('network', before)
    await made.use(made.started, at(after))
    expect(networks(made)).toEqual(changes)
  })

  it.each<[AddressPolicy, AddressPolicy]>([
    ['whole', 'network'],
    ['network', 'whole'],
    ['whole', 'none'],
    ['none', 'network'],
  ])('reports nothing because the option went from %s to %s', async (before, after) => {
    const { started, store } = await loggedIn(before, '203.0.113.7')
    const { sessions, use } = makeCore(settingsWith({ store, recordAddress: after }))
    const seen = eventsOf(sessions)
    await use(started, at('203.0.113.7'))
    expect(seen).toEqual([])
  })

  it('finds nothing where no address is kept, so that it can not refuse', async () => {
    const made = await loggedIn('none', '203.0.113.7')
    await made.use(made.started, at('198.51.100.1'))
    expect(networks(made)).toEqual([])
    const refusing = { recordAddress: 'none', onClientChange: { network: 'refuse' } } as const
    expect(() => createSessions(refusing)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining("'network'") as string,
      }),
    )
  })
})

describe('the place of a login', () => {
  const withPlace = (describeAddress: (ip: string) => unknown, more = {}) =>
    makeCore(settingsWith({ describeAddress, ...more }))

  it('is asked for once, with the whole address, and kept where no address is', async () => {
    stopTheClock()
    const describeAddress = jest.fn(async () => 'Berlin, Germany')
    const { engine, sessions, use } = withPlace(describeAddress, { recordAddress: 'none' })
    const started = await engine.login(ann, at('203.0.113.7'), [])
    moveTheClock(HOUR)
    await use(started, at('203.0.114.7'))
    expect(await sessions.list('ann')).toMatchObject([{ place: 'Berlin, Germany', ip: '' }])
    expect(describeAddress.mock.calls).toEqual([['203.0.113.7']])
  })

  it('is not asked for a guest, nor without an address', async () => {
    const describeAddress = jest.fn(() => 'Berlin')
    const { engine } = withPlace(describeAddress)
    expect((await engine.startGuest({}, chrome)).record.place).toBeUndefined()
    expect((await engine.login(ann, at(''), [])).record.place).toBeUndefined()
    expect(describeAddress).not.toHaveBeenCalled()
  })

  it.each([
    ['undefined', undefined, undefined],
    ['null', null, undefined],
    ['an empty text', '', undefined],
    ['a text', 'Paris', 'Paris'],
    ['a text with control characters', 'Par\u0000is\n', 'Paris'],
    ['a long text', 'x'.repeat(500), 'x'.repeat(100)],
  ])('is what describeAddress returns: %s', async (_, returned, place) => {
    const { engine } = withPlace(() => returned)
    expect((await engine.login(ann, chrome, [])).record.place).toBe(place)
  })

  it('is none where describeAddress fails or hangs: the login goes on, and the process is warned once', async () => {
    const failing = [
      () => {
        throw new Error('no such database')
      },
      () => Promise.reject(new Error('no such database')),
      () => new Promise(() => undefined),
      () => ({ city: 'Berlin' }),
    ]
    const warnings = warningsOf('SID_DESCRIBE_ADDRESS')
    for (const fails of failing) {
      const { engine } = withPlace(fails, { storeTimeout: 20 })
      expect((await engine.login(ann, chrome, [])).record.place).toBeUndefined()
    }
    expect(warnings.now()).toEqual([expect.stringMatching(/describeAddress failed.*no such database/)])
    warnings.stop()
  })

  it('must be a function', () => {
    expect(() => createSessions({ describeAddress: 'city' as never })).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('a function') as string,
      }),
    )
    expect(() => createSessions({ recordAddress: 'some' as never })).toThrow(
      /recordAddress must be one of 'whole'/,
    )
  })
})
