import { createSessions } from 'express-sid'
import { makeRecord } from 'express-sid/testing'
import { Events } from '../../../src/core/events/events.js'
import { turns } from '../../support/stores.js'

const record = makeRecord({ userId: 'ann' })
const revoked = { record, cause: 'revoke' } as const
const told = expect.objectContaining({ type: 'revoke', sessionId: record.id, userId: 'ann' }) as object

/** What the process was warned of while something ran. */
async function warningsOf(run: () => void): Promise<string[]> {
  const spy = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  try {
    run()
    await turns(3)
    return spy.mock.calls.map(([warning]) => String(warning))
  } finally {
    spy.mockRestore()
  }
}

describe('events', () => {
  it('go to each listener of their name, in the order of registration', () => {
    const events = new Events()
    const heard: unknown[] = []
    events.on('revoke', (event) => heard.push(['first', event]))
    events.on('revoke', (event) => heard.push(['second', event]))
    events.on('expire', () => heard.push('other'))
    events.emit('revoke', revoked)
    expect(heard).toEqual([
      ['first', told],
      ['second', told],
    ])
  })

  it('no longer reach a listener that was removed, even by another listener during the same event', () => {
    const events = new Events()
    const listener = jest.fn()
    events.on('revoke', listener)
    events.on('revoke', () => events.off('revoke', listener))
    events.emit('revoke', revoked)
    events.emit('revoke', revoked)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('without a listener harm nothing, not even one named error', () => {
    const events = new Events()
    expect(() => events.emit('revoke', revoked)).not.toThrow()
    expect(() => events.emit('error' as 'revoke', revoked)).not.toThrow()
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('audit log is full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('audit log is full'))],
    [
      'rejects in a way of its own',
      () => ({
        // oxlint-disable-next-line unicorn/no-thenable -- a promise of a kind of its own, as some libraries make
        then: (_: unknown, reject: (error: unknown) => void) => reject(new Error('audit log is full')),
      }),
    ],
  ])('reach the others when a listener %s; the process is warned, by name', async (_, listener) => {
    const events = new Events()
    const other = jest.fn()
    events.on('revoke', listener)
    events.on('revoke', other)
    const warnings = await warningsOf(() => events.emit('revoke', revoked))
    expect(other).toHaveBeenCalledWith(told)
    expect(warnings).toEqual([expect.stringMatching(/listener.*"revoke".*audit log is full/)])
  })

  it.each([['text'], [undefined], [null], [Symbol('s')], [Object.create(null)]])(
    'survive a listener that throws %p',
    async (thrown) => {
      const events = new Events()
      events.on('revoke', () => {
        throw thrown
      })
      expect(await warningsOf(() => events.emit('revoke', revoked))).toHaveLength(1)
    },
  )

  it('start the work of a listener that answers a promise of the lazy kind, as query builders do', () => {
    const events = new Events()
    const insert = jest.fn()
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of a kind of its own, as some libraries make
    events.on('revoke', () => ({ then: insert }))
    events.emit('revoke', revoked)
    expect(insert).toHaveBeenCalledTimes(1)
  })
})

describe('an event that there is not', () => {
  it.each([
    ['loginFailed', 'Did you mean loginRefused?'],
    ['loginrefused', 'Did you mean loginRefused?'],
    ['revoked', 'Did you mean revoke?'],
    ['error', 'Did you mean storeError?'],
    ['zebra', 'The events are event, login, logout, revoke, expire,'],
    ['toString', 'The events are event, login,'],
    ['', 'The events are event, login,'],
    [undefined, 'There is no session event undefined. The events are event, login,'],
    [Symbol('login'), 'There is no session event a symbol.'],
  ])('is refused, and the right name said: %p', (name, words) => {
    const sessions = createSessions()
    for (const method of ['on', 'off'] as const) {
      expect(() => sessions[method](name as 'login', () => undefined)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
      )
    }
  })

  it.each([undefined, null, 'log', {}])('and a listener that is no function are refused: %p', (listener) => {
    expect(() => createSessions().on('login', listener as never)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('the session event login must be a function'),
      }),
    )
  })
})
