import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { authenticateUpgrade } from 'express-sid'
import { MINUTE, moveTheClock, rejectionOf, stopTheClock } from '../../support/core.js'
import { boundName, site, type Jar } from './site.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

/** A handshake with these cookies. */
function handshake({ sid, bound }: Jar): IncomingMessage {
  const cookie = [`__Host-sid=${sid}`, ...(bound ? [`${boundName(sid)}=${bound}`] : [])].join('; ')
  const socket = Object.assign(new PassThrough(), { remoteAddress: '::ffff:127.0.0.1', encrypted: true })
  return {
    headers: { cookie, host: 'app.example' },
    method: 'GET',
    url: '/',
    socket,
  } as unknown as IncomingMessage
}

test('a WebSocket needs the bound cookie as well', async () => {
  const { sessions, browser: open } = site()
  const browser = open()
  await browser.bind()
  moveTheClock(6 * MINUTE)
  const { sid } = browser.jar
  expect(await authenticateUpgrade(sessions, handshake({ sid }))).toBeUndefined()
  expect(await authenticateUpgrade(sessions, handshake(browser.jar))).toMatchObject({
    user: { id: 'ann' },
    session: { isBound: true },
  })
})

test("with unbound: 'refuse' a WebSocket of a session that was never bound is refused", async () => {
  const { sessions, browser: open } = site({ deviceBinding: { unbound: 'refuse' } })
  const browser = open()
  await browser.login()
  expect(await authenticateUpgrade(sessions, handshake(browser.jar))).toMatchObject({
    session: { isBound: false },
  })
  moveTheClock(2 * MINUTE)
  expect(await rejectionOf(authenticateUpgrade(sessions, handshake(browser.jar)))).toMatchObject({
    code: 'UNBOUND',
  })
})
