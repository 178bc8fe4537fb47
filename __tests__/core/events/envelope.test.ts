import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createSessions, type AnySessionEvent, type SessionRecord } from 'express-sid'
import { makeRecord } from 'express-sid/testing'
import { Events } from '../../../src/core/events/events.js'
import {
  ann,
  bob,
  chrome,
  eventsOf,
  firefox,
  HOUR,
  makeCore,
  MINUTE,
  settingsWith,
} from '../../support/core.js'

const CHANNEL = 'express-sid:event'
const record = makeRecord({ userId: '7', userIdType: 'number' })

afterEach(() => jest.restoreAllMocks())

/** What subscribers of the channel get while something runs. */
async function publishedWhile(run: () => unknown): Promise<AnySessionEvent[]> {
  const published: AnySessionEvent[] = []
  const onMessage = (message: unknown) => void published.push(message as AnySessionEvent)
  subscribe(CHANNEL, onMessage)
  try {
    await run()
  } finally {
    unsubscribe(CHANNEL, onMessage)
  }
  return published
}

/** All that a manager tells of its sessions, by one listener. */
function logOf(sessions: ReturnType<typeof makeCore>['sessions']): AnySessionEvent[] {
  const log: AnySessionEvent[] = []
  sessions.on('event', (event) => log.push(event))
  return log
}

describe('an event', () => {
  it('has one envelope: what, when, whose session, who acts, who asked, why', () => {
    const events = new Events()
    const listener = jest.fn()
    events.on('logout', listener)
    jest.spyOn(Date, 'now').mockReturnValue(1_234)
    events.emit('logout', { record, client: chrome, cause: 'login', replaced: true })
    expect(listener.mock.calls).toEqual([
      [
        {
          type: 'logout',
          at: 1_234,
          sessionId: record.id,
          userId: 7,
          actor: undefined,
          client: chrome,
          cause: 'login',
          replaced: true,
        },
      ],
    ])
  })

  it('has all fields of it where it is about no session, too', () => {
    const events = new Events()
    const listener = jest.fn()
    events.on('unawaited', listener)
    events.emit('unawaited', { call: 'set()', place: 'here', error: 'x' })
    const fields = ['type', 'at', 'sessionId', 'userId', 'actor', 'client', 'cause', 'call', 'place', 'error']
    expect(Object.keys(listener.mock.calls[0]![0] as object)).toEqual(fields)
  })

  it('holds nothing of a record that stands for its own client: no hash, and no data', () => {
    const events = new Events()
    const log: unknown[] = []
    events.on('event', (event) => log.push(event))
    const secret = makeRecord({ data: { pin: '1234' } })
    events.emit('reuse', { record: secret, client: secret, ended: true })
    expect(log).toMatchObject([{ client: { userAgent: secret.userAgent, ip: secret.ip } }])
    const text = JSON.stringify(log)
    for (const hidden of [secret.secretHash, secret.seriesHash, '1234']) expect(text).not.toContain(hidden)
  })

  it('can be changed by no listener: the next one gets the same', () => {
    const events = new Events()
    const listener = jest.fn()
    const thrown: unknown[] = []
    jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void thrown.push(String(warning)))
    events.on('revoke', (event) => {
      Object.assign(event.client!, { ip: 'forged' })
    })
    events.on('revoke', (event) => {
      Object.assign(event, { userId: 'forged' })
    })
    events.on('revoke', listener)
    events.emit('revoke', { record, client: chrome, cause: 'revoke' })
    expect(thrown).toHaveLength(2)
    expect(listener).toHaveBeenCalledWith(expect.objectContaining({ userId: 7, client: chrome }))
  })

  it('can not be changed in its lists and clients either', async () => {
    const { sessions, engine, use } = makeCore(settingsWith())
    const log = logOf(sessions)
    await use(await engine.login(ann, chrome, []), firefox)
    const change = log.find((event) => event.type === 'clientChange')
    const parts = [change, change!.changes, change!.client, change!.recorded, change!.seen]
    expect(parts.map((part) => Object.isFrozen(part))).toEqual([true, true, true, true, true])
  })

  it('is not sent about the session of a guest', async () => {
    const events = new Events()
    const listener = jest.fn()
    events.on('event', listener)
    const guest = makeRecord({ userId: undefined, user: undefined })
    const published = await publishedWhile(() =>
      events.emit('logout', { record: guest, client: chrome, cause: 'logout', replaced: false }),
    )
    expect([listener.mock.calls, published]).toEqual([[], []])
  })
})

describe('the listener of every event', () => {
  it('gets each one after the listeners of its name, and can be taken off', () => {
    const events = new Events()
    const heard: string[] = []
    const all = ({ type }: AnySessionEvent) => void heard.push(`all ${type}`)
    events.on('event', all)
    events.on('revoke', () => heard.push('revoke'))
    events.emit('revoke', { record, cause: 'revoke' })
    events.emit('bind', { record, client: chrome, algorithm: 'ES256' })
    events.off('event', all)
    events.emit('bind', { record, client: chrome, algorithm: 'ES256' })
    expect(heard).toEqual(['revoke', 'all revoke', 'all bind'])
  })

  it('that never settles holds up nobody', async () => {
    const { sessions, engine, identify } = makeCore(settingsWith())
    sessions.on('event', () => new Promise(() => undefined))
    const { token } = await engine.login(ann, chrome, [])
    expect((await identify([token])).user).toEqual(ann)
    expect(await sessions.revokeAll('ann')).toBe(1)
  })

  it('is an audit log of who did what to which session, and why', async () => {
    const { sessions, engine, use } = makeCore(settingsWith())
    const log = logOf(sessions)
    const first = await engine.login(ann, chrome, [])
    const second = await engine.login(bob, firefox, [first.record])
    await use(second, chrome)
    await engine.end([second.record], { cause: 'logout', client: firefox })
    const third = await engine.login(ann, chrome, [])
    await sessions.revoke(third.record.id)
    await engine.login(ann, chrome, [])
    await sessions.revokeAll('ann')
    expect(log.map(({ type, userId, client, cause }) => [type, userId, client?.userAgent, cause])).toEqual([
      ['login', 'ann', chrome.userAgent, 'login'],
      ['logout', 'ann', firefox.userAgent, 'login'],
      ['login', 'bob', firefox.userAgent, 'login'],
      ['clientChange', 'bob', chrome.userAgent, undefined],
      ['logout', 'bob', firefox.userAgent, 'logout'],
      ['login', 'ann', chrome.userAgent, 'login'],
      ['revoke', 'ann', undefined, 'revoke'],
      ['login', 'ann', chrome.userAgent, 'login'],
      ['revoke', 'ann', undefined, 'revokeAll'],
    ])
  })
})

describe('the channel of node:diagnostics_channel', () => {
  it('gets the same objects as the listeners', async () => {
    const events = new Events()
    const log: AnySessionEvent[] = []
    events.on('event', (event) => log.push(event))
    const published = await publishedWhile(() => events.emit('revoke', { record, cause: 'revoke' }))
    expect(published).toEqual(log)
    expect(published[0]).toBe(log[0])
  })

  it('gets them of a manager that nobody listens to', async () => {
    const { sessions, engine } = makeCore(settingsWith())
    const published = await publishedWhile(async () => {
      await engine.login(ann, chrome, [])
      await sessions.revokeAll('ann')
    })
    expect(published.map(({ type }) => type)).toEqual(['login', 'revoke'])
  })
})

describe('what nobody hears', () => {
  it('is not made: neither without a listener nor with one for another event', () => {
    // Each event that is made is given the time.
    const made = jest.spyOn(Date, 'now')
    const events = new Events()
    events.on('login', () => undefined)
    events.emit('revoke', { record, cause: 'revoke' })
    expect(made).not.toHaveBeenCalled()
    events.on('revoke', () => undefined)
    events.emit('revoke', { record, cause: 'revoke' })
    expect(made).toHaveBeenCalledTimes(1)
  })

  it('is nothing for an ordinary request, which sends no event at all', async () => {
    const { sessions, engine, identify } = makeCore(settingsWith())
    const { token } = await engine.login(ann, chrome, [])
    const seen = eventsOf(sessions)
    const log = logOf(sessions)
    const emit = jest.spyOn(engine.events, 'emit')
    for (let request = 0; request < 1_000; request += 1) await identify([token])
    expect([seen, log, emit.mock.calls]).toEqual([[], [], []])
  })
})

describe('what a sweep has removed', () => {
  const realTimers = ['setImmediate', 'nextTick', 'queueMicrotask'] as const

  beforeEach(() => jest.useFakeTimers({ doNotFake: [...realTimers] }))
  afterEach(() => jest.useRealTimers())

  it('is an event for each session of a user, with the deadline that has passed', async () => {
    const { sessions, engine } = makeCore(settingsWith({ idleTimeout: HOUR, absoluteTimeout: 2 * HOUR }))
    const log = logOf(sessions)
    const idle = (await engine.login(ann, chrome, [])).record
    const used = (await engine.login(bob, chrome, [])).record
    await engine.startGuest({}, chrome)
    for (let touch = 0; touch < 3; touch += 1) {
      await jest.advanceTimersByTimeAsync(30 * MINUTE)
      await engine.change(used, (current) => ({ ...current, data: { touch } }), chrome)
    }
    await jest.advanceTimersByTimeAsync(31 * MINUTE)
    await sessions.close()
    const facts = ({ deadline, at, cause, client }: AnySessionEvent & { type: 'expire' }) => ({
      deadline,
      late: at - deadline <= MINUTE,
      cause,
      client,
    })
    const expired = log.filter((event) => event.type === 'expire')
    expect(expired.map(({ sessionId }) => sessionId)).toEqual([idle.id, used.id])
    expect(expired.map(facts)).toEqual([
      { deadline: idle.expiresAt, late: true, cause: 'idleTimeout', client: undefined },
      { deadline: used.absoluteExpiresAt, late: true, cause: 'absoluteTimeout', client: undefined },
    ])
  })

  it('is asked of the store only where somebody listens', async () => {
    const store = settingsWith().store
    const asked = jest.spyOn(store, 'deleteExpired' as 'get')
    const sweeps = () => asked.mock.calls.map((args) => typeof (args as unknown[])[2])
    const { sessions } = makeCore(settingsWith({ store }))
    await jest.advanceTimersByTimeAsync(MINUTE)
    sessions.on('expire', () => undefined)
    await jest.advanceTimersByTimeAsync(MINUTE)
    await sessions.close()
    expect(sweeps()).toEqual(['undefined', 'function'])
  })

  it('is no event of its own where it was ended before: that was told then', async () => {
    const { sessions, engine } = makeCore(settingsWith({ idleTimeout: HOUR }))
    const log = logOf(sessions)
    const { record: stolen } = await engine.login(ann, chrome, [])
    await engine.change(stolen, (current): SessionRecord => ({ ...current, endedBy: 'reuse' }), chrome)
    await jest.advanceTimersByTimeAsync(2 * HOUR)
    await sessions.close()
    expect(log.map(({ type }) => type)).toEqual(['login'])
  })
})

it('an event can be listened to by the manager of an application', () => {
  const types: string[] = []
  createSessions().on('event', (event) => {
    // The type tells the events apart.
    types.push(event.type === 'clientChange' ? event.changes.join() : event.type)
  })
  expect(types).toEqual([])
})
