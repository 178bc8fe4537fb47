import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { authenticateUpgrade, createSessions, memoryStore } from 'express-sid'
import supertest from 'supertest'
import type { SessionRecord } from '../../src/record.js'
import { eventsOf, HOUR, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { listen } from '../support/listen.js'
import { express5, site } from '../support/site.js'
import { cookieOf } from '../support/visitor.js'

const EVERY = HOUR
const GRACE = 5 * MINUTE

let toEnd: (() => Promise<void>)[] = []
beforeEach(() => stopTheClock())
afterEach(async () => {
  jest.useRealTimers()
  await Promise.all(toEnd.map((end) => end()))
  toEnd = []
})

/** A server that responds to a handshake with 101 and the user's id, or with 401. */
async function serve(touch?: boolean) {
  const store = memoryStore()
  const sessions = createSessions({ store })
  const { app } = site(express5, sessions)
  const { server, port, close } = await listen(app)
  toEnd.push(close)
  server.on('upgrade', (req: IncomingMessage, socket: Duplex) => {
    void authenticateUpgrade(sessions, req, { app, touch }).then((found) => {
      const status = found === undefined ? '401 Unauthorized' : '101 Switching Protocols'
      socket.end(`HTTP/1.1 ${status}\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n`)
    })
  })
  const shake = async (cookie: string) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'test', Cookie: cookie }
    const asked = request({ port, host: '127.0.0.1', headers }).end()
    const result = await Promise.race([once(asked, 'upgrade'), once(asked, 'response')])
    const response = result[0] as IncomingMessage
    response.destroy()
    expect(response.headers['set-cookie']).toBeUndefined()
    return response.statusCode
  }
  const first = cookieOf(await supertest(server).post('/login'))
  const page = (cookie: string) => supertest(server).get('/').set({ Cookie: cookie })
  const stored = () => store.get(first.slice(4, 40)) as SessionRecord | undefined
  return { shake, first, page, stored, seen: eventsOf(sessions) }
}

describe('a WebSocket handshake', () => {
  it('never gets a successor, and writes nothing for one that is due', async () => {
    const { shake, first, stored, seen } = await serve()
    moveTheClock(EVERY)
    expect(await shake(first)).toBe(101)
    const { version } = stored()!
    for (let count = 0; count < 5; count += 1) expect(await shake(first)).toBe(101)
    expect(stored()).toMatchObject({ version, rotatedAt: undefined, nextHash: undefined })
    expect(seen).toEqual([])
  })

  it('is let in with the current secret, its successor and the one before', async () => {
    const { shake, first, page, stored } = await serve()
    moveTheClock(EVERY)
    const next = cookieOf(await page(first))
    expect([await shake(first), await shake(next)]).toEqual([101, 101])
    moveTheClock(GRACE)
    // It settles, too: presented is presented.
    expect(await shake(next)).toBe(101)
    expect(stored()).toMatchObject({ nextHash: undefined, priorUntil: Date.now() + GRACE })
    expect([await shake(first), await shake(next)]).toEqual([101, 101])
  })

  it('is refused with a superseded secret, and the theft is concluded', async () => {
    const { shake, first, page, stored, seen } = await serve()
    moveTheClock(EVERY)
    const next = cookieOf(await page(first))
    moveTheClock(GRACE)
    await page(next)
    moveTheClock(GRACE)
    expect(await shake(first)).toBe(401)
    expect(stored()).toBeUndefined()
    expect(seen.map(({ name }) => name)).toEqual(['rotate', 'reuse'])
    expect(await shake(next)).toBe(401)
  })
})

test.each([
  [undefined, true],
  [true, true],
  [false, false],
])('a handshake with touch: %s moves the idle deadline: %s', async (touch, moves) => {
  const { shake, first, stored } = await serve(touch)
  const before = stored()!
  moveTheClock(HOUR)
  expect(await shake(first)).toBe(101)
  expect(stored()!.expiresAt - before.expiresAt).toBe(moves ? HOUR : 0)
})
