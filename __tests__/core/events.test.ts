import { Events } from '../../src/core/events.js'
import { turns } from '../support/stores.js'

const revoked = { sessionId: 'a', userId: 'ann' }

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
      ['first', revoked],
      ['second', revoked],
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
        // oxlint-disable-next-line unicorn/no-thenable
        then: (_: unknown, reject: (error: unknown) => void) => reject(new Error('audit log is full')),
      }),
    ],
  ])('reach the others when a listener %s; the process is warned, by name', async (_, listener) => {
    const events = new Events()
    const other = jest.fn()
    events.on('revoke', listener)
    events.on('revoke', other)
    const warnings = await warningsOf(() => events.emit('revoke', revoked))
    expect(other).toHaveBeenCalledWith(revoked)
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
    // oxlint-disable-next-line unicorn/no-thenable
    events.on('revoke', () => ({ then: insert }))
    events.emit('revoke', revoked)
    expect(insert).toHaveBeenCalledTimes(1)
  })
})
